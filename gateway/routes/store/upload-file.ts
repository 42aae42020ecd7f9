import { emptyFile } from '../../errors/store-catalogue.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { readFileForm } from './file-form.ts';
import { describeFile } from './files.ts';
import { receiveBody } from './receive-body.ts';
import { ownerOf, type StoreServices } from './store-services.ts';
import { cleanFilename, readUploadFields } from './upload-fields.ts';

/** `POST /v1/files`: a form with the fields `file` and `purpose`. Nothing is left of an upload that fails. */
export async function uploadFile(c: GatewayContext, services: StoreServices) {
  const context = c.get('request');
  const contentType = context.incoming.headers['content-type'] ?? '';
  return receiveBody(services, context, 'multipart/form-data', async (body) => {
    await using writer = await services.store.files.create({
      ...{ owner: ownerOf(context), filename: '', purpose: '', expiresAt: null },
    });
    let bytes = 0;
    const { filename, fields } = await readFileForm(body, contentType, (piece) => {
      bytes += piece.length;
      return writer.write(piece);
    });
    // A form may have its other fields behind the file.
    const { purpose, expiresAfter } = readUploadFields(fields);
    if (bytes === 0) throw emptyFile();
    const changes = { filename: cleanFilename(filename), purpose, ...(expiresAfter && { expiresAfter }) };
    return c.json(describeFile(await writer.commit(changes)));
  });
}
