import { testerSecret } from './start-gateway.ts';

export interface RequestOptions {
  readonly path?: string;
  readonly headers?: readonly string[];
  /** The API key; by default the tester's, null for none. */
  readonly secret?: string | null;
}

/** A well-formed POST request with a JSON body. */
export function postOf(body: unknown, options: RequestOptions = {}): string {
  const { path = '/v1/chat/completions', headers = [], secret = testerSecret } = options;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return [
    `POST ${path} HTTP/1.1`,
    'Host: gateway',
    'Content-Type: application/json',
    ...(secret === null ? [] : [`Authorization: Bearer ${secret}`]),
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...headers,
    '',
    text,
  ].join('\r\n');
}

/** A chat request. The fake backend echoes its word, which identifies the response. */
export function chatOf(word: string, fields: object = {}) {
  return { model: 'fake-model', messages: [{ role: 'user', content: word }], ...fields };
}
