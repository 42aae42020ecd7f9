import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { invalidForm } from '../../errors/store-catalogue.ts';

/** What a form says about its file, which has been written by then. */
export interface FileForm {
  /** Empty if the client gave none. */
  readonly filename: string;
  /** The other fields. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Far above what the API has; the fields are kept in memory. */
const limits = { files: 1, fields: 16, parts: 17, fieldSize: 1024, headerPairs: 32, headerSize: 8192 };

/**
 * Reads a form with one file in the field `file`, whose pieces are passed to `write` as they arrive, and taken from the body
 * no faster than that. Throws an ApiError for any other form, and whatever `body` and `write` throw.
 */
export async function readFileForm(
  body: AsyncIterable<Buffer>,
  contentType: string,
  write: (piece: Buffer) => Promise<void>,
): Promise<FileForm> {
  const parser = createParser(contentType);
  const fields = new Map<string, string>();
  const finished = Promise.withResolvers<void>();
  let failure: unknown;
  let filename: string | undefined;
  let file: BusboyFileStream | undefined;
  let copying: Promise<void> | undefined;
  let stopWaiting = () => {};
  const fail = (error: unknown) => {
    failure ??= error;
    stopWaiting();
    finished.resolve();
  };
  parser.on('field', (name, value, _, isTruncated) => {
    if (isTruncated) fail(invalidForm(`a field has more than ${limits.fieldSize} bytes`));
    else if (fields.has(name)) fail(invalidForm('a field occurs twice'));
    else fields.set(name, value);
  });
  parser.on('file', (name, stream, givenName) => {
    file = stream;
    stream.on('error', (error) => fail(invalidForm(describe(error))));
    if (name !== 'file') return fail(invalidForm('the file must be in the field "file"'));
    filename = givenName ?? '';
    copying = copy(stream, write).catch(fail);
  });
  for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const)
    parser.on(event, () => fail(invalidForm('it has more than one file, or too many fields')));
  parser.on('error', (error) => fail(invalidForm(describe(error))));
  parser.on('finish', () => finished.resolve());
  try {
    for await (const chunk of body) {
      await new Promise<void>((resolve) => {
        stopWaiting = resolve;
        parser.write(chunk, () => resolve());
      });
      if (failure !== undefined) throw failure;
    }
    parser.end();
    await finished.promise;
    if (failure === undefined) await copying;
    if (failure !== undefined) throw failure;
  } finally {
    // A write must not be interrupted in the middle of a piece.
    file?.destroy();
    await copying;
  }
  if (filename === undefined) throw invalidForm('the field "file" is missing');
  return { filename, fields };
}

function createParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits,
      // Some clients send the content without a file name.
      isPartAFile: (name, _, filename) => name === 'file' || filename !== undefined,
    });
  } catch {
    throw invalidForm('its Content-Type has no boundary');
  }
}

/** The parser goes on when the stream has been read: so the disk slows down the client. */
async function copy(stream: BusboyFileStream, write: (piece: Buffer) => Promise<void>): Promise<void> {
  for await (const piece of stream.iterator({ destroyOnReturn: false })) await write(piece);
}

const describe = (error: unknown) =>
  /unexpected end/i.test(String(error)) ? 'it is incomplete' : 'its parts cannot be read';
