/** One answer out of the bytes of a connection. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const statusLine = /^HTTP\/1\.1 (\d{3})(?: [\x20-\x7e]*)?$/;
const headerLine = /^([\w-]+): ?([\x20-\x7e]*)$/;

/**
 * All that a server has said on a connection, read as a strict client would. Throws at the first byte that cannot be
 * HTTP. Of an answer that is not all there yet `isCut` tells. An answer to HEAD has a length and no body.
 */
export function readAnswers(text: string): { answers: ReadAnswer[]; isCut: boolean } {
  const answers: ReadAnswer[] = [];
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) return { answers, isCut: true };
    const [first = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const status = Number(statusLine.exec(first)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(first.slice(0, 80))}`);
    const headers = new Map(lines.map(readHeader));
    const body = readBody(text, headEnd + 4, status, headers);
    if (body === undefined) return { answers, isCut: true };
    answers.push({ status, headers, body: body.text });
    at = body.end;
  }
  return { answers, isCut: false };
}

function readHeader(line: string): [string, string] {
  const [, name, value] = headerLine.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new Error(`no header: ${JSON.stringify(line.slice(0, 80))}`);
  return [name.toLowerCase(), value];
}

function readBody(text: string, from: number, status: number, headers: ReadonlyMap<string, string>) {
  if (status < 200 || status === 204 || status === 304) return { text: '', end: from };
  // To HEAD, or it waits for the body: in both cases nothing, or the next answer, stands here.
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
    if (text.slice(end, end + 2) !== '\r\n') throw new Error('a chunk that is longer than it says');
    if (size === 0) return { text: body, end: end + 2 };
    body += text.slice(lineEnd + 2, end);
    at = end + 2;
  }
}
