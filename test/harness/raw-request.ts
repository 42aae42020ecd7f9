import { testerSecret } from './start-gateway.ts';

export interface RequestOptions {
  readonly path?: string;
  readonly headers?: readonly string[];
  /** Sent in place of the tester's; null sends none. */
  readonly secret?: string | null;
}

/** The bytes of a well-formed POST of a JSON body. */
export function postOf(body: unknown, wishes: RequestOptions = {}): string {
  const { path = '/v1/chat/completions', headers = [], secret = testerSecret } = wishes;
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

/** A chat request that carries a word of its own, so that its answer can be told from others. */
export function chatOf(word: string, fields: object = {}) {
  return { model: 'stand-in', messages: [{ role: 'user', content: word }], ...fields };
}
