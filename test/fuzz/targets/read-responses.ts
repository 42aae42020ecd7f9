/** One response parsed from the bytes of a connection. */
export interface ParsedResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const statusLine = /^HTTP\/1\.1 (\d{3})(?: [\x20-\x7e]*)?$/;
const headerLine = /^([\w-]+): ?([\x20-\x7e]*)$/;

/**
 * Parses all that a server has sent on a connection, as a strict client would. Throws at the first byte that is not
 * valid HTTP. `isCut` is whether the last response is incomplete. A response to HEAD has a length and no body.
 */
export function readResponses(text: string): { responses: ParsedResponse[]; isCut: boolean } {
  const responses: ParsedResponse[] = [];
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) return { responses, isCut: true };
    const [first = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const status = Number(statusLine.exec(first)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(first.slice(0, 80))}`);
    const headers = new Map(lines.map(readHeader));
    const body = readBody(text, headEnd + 4, status, headers);
    if (body === undefined) return { responses, isCut: true };
    responses.push({ status, headers, body: body.text });
    at = body.end;
  }
  return { responses, isCut: false };
}

function readHeader(line: string): [string, string] {
  const [, name, value] = headerLine.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new Error(`no header: ${JSON.stringify(line.slice(0, 80))}`);
  return [name.toLowerCase(), value];
}

function readBody(text: string, from: number, status: number, headers: ReadonlyMap<string, string>) {
  if (status < 200 || status === 204 || status === 304) return { text: '', end: from };
  // A response to HEAD has no body: the next response, if any, follows at once. A body may also not have arrived yet.
  if (text.length === from || text.startsWith('HTTP/1.1 ', from)) return { text: '', end: from };
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(text, from);
  const length = headers.get('content-length');
  if (length === undefined) return { text: text.slice(from), end: text.length };
  const end = from + Number(length);
  return end > text.length ? undefined : { text: text.slice(from, end), end };
}

function readChunks(text: string, from: number) {
  let body = '';
  for (let at = from; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const line = text.slice(at, lineEnd);
    if (!/^[\da-f]+$/.test(line))
      throw new Error(`no length of a chunk: ${JSON.stringify(line.slice(0, 80))}`);
    const size = Number.parseInt(line, 16);
    const end = lineEnd + 2 + size;
    if (text.length < end + 2) return undefined;
    if (text.slice(end, end + 2) !== '\r\n') throw new Error('a chunk that is longer than its size');
    if (size === 0) return { text: body, end: end + 2 };
    body += text.slice(lineEnd + 2, end);
    at = end + 2;
  }
}
