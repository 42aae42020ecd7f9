import type { StoredFile } from '../../../store/stored-file.ts';
import { fileNotFound } from '../../errors/store-catalogue.ts';
import { clientHas } from '../../http/static-files.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { contentRange, readByteRange } from './byte-range.ts';
import { listPage, readId, readLimit, readOrder, unknownCursor } from './page-query.ts';
import { sendContent } from './send-content.ts';
import { ownerOf, type StoreServices } from './store-services.ts';
import { contentDisposition } from './upload-fields.ts';

const MAX_FILES_PER_PAGE = 10_000;

/** A file in OpenAI's format. */
export const describeFile = ({ id, bytes, createdAt, expiresAt, filename, purpose }: StoredFile) => ({
  id,
  object: 'file',
  bytes,
  created_at: createdAt,
  expires_at: expiresAt,
  filename,
  purpose,
  status: 'processed',
  status_details: null,
});

/** `GET /v1/files` */
export function listFiles(c: GatewayContext, { store }: StoreServices) {
  const page = store.files.list(ownerOf(c.get('request')), {
    after: readId(c, 'after'),
    limit: readLimit(c, MAX_FILES_PER_PAGE, MAX_FILES_PER_PAGE),
    order: readOrder(c),
    purpose: readId(c, 'purpose'),
  });
  if (page === 'unknown-after') throw unknownCursor('after', 'file');
  return c.json(listPage(page.files.map(describeFile), page.hasMore));
}

/** `GET /v1/files/{id}` */
export function getFile(c: GatewayContext, services: StoreServices) {
  return c.json(describeFile(findFile(services, c)));
}

/** `DELETE /v1/files/{id}`. A batch that reads the file goes on. */
export function deleteFile(c: GatewayContext, { store }: StoreServices) {
  const id = c.req.param('id') ?? '';
  if (!store.files.delete(ownerOf(c.get('request')), id)) throw fileNotFound(id, 'id');
  return c.json({ id, object: 'file', deleted: true });
}

/** `GET /v1/files/{id}/content`: all of it, or a part. */
export function getFileContent(c: GatewayContext, services: StoreServices) {
  const { id, bytes, filename } = findFile(services, c);
  const context = c.get('request');
  // A file never changes.
  const etag = `"${id}"`;
  const { method, headers: requested } = context.incoming;
  if (clientHas(requested['if-none-match'], etag)) return c.body(null, 304, { etag });
  const range = method === 'GET' ? readByteRange(requested, bytes, etag) : undefined;
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': range?.length ?? bytes,
    ...(range && { 'content-range': contentRange(range, bytes) }),
    'accept-ranges': 'bytes',
    etag,
    'content-disposition': contentDisposition(filename),
    // It comes from a client: a browser must not guess that it is a page.
    'x-content-type-options': 'nosniff',
  };
  const pieces = services.store.files.read(id, range);
  return sendContent(services, context, { status: range ? 206 : 200, headers }, pieces);
}

function findFile({ store }: StoreServices, c: GatewayContext): StoredFile {
  const id = c.req.param('id') ?? '';
  const file = store.files.get(ownerOf(c.get('request')), id);
  if (file === undefined) throw fileNotFound(id, 'id');
  return file;
}
