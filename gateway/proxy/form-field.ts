/** A longer value is none that we look for. */
const MAX_VALUE = 256;

/** A short text field of a multipart form; undefined if there is none. The rest of the form is not read. */
export function readFormField(body: Buffer, name: string): string | undefined {
  const at = body.indexOf(`form-data; name="${name}"\r\n`);
  if (at === -1) return undefined;
  const start = body.indexOf('\r\n\r\n', at);
  const end = start === -1 ? -1 : body.indexOf('\r\n', start + '\r\n\r\n'.length);
  if (end === -1 || end - start > MAX_VALUE) return undefined;
  return body.toString('utf8', start + '\r\n\r\n'.length, end);
}
