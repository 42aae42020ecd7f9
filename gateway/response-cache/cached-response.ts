import { randomBytes } from 'node:crypto';

/** A response as its client received it, from the first byte of its body to the last. */
export interface CachedResponse {
  readonly isStream: boolean;
  /** A JSON object, or the events of a stream. */
  readonly body: Buffer;
  readonly finishReason: string | undefined;
}

/**
 * The body for another client: with an id and a time of its own, as clients expect of every response, and of the same length.
 * Quotes inside a text are escaped, so what is found is the response's own.
 */
export function renewedBody({ body }: CachedResponse, now: number): Buffer {
  const text = body.toString('latin1');
  const [, id] = idField.exec(text) ?? [];
  if (id === undefined) return body;
  const renewed = text
    .replaceAll(`"id":"${id}"`, `"id":"${otherId(id)}"`)
    .replaceAll(createdFields, `"created":${Math.floor(now / 1000)}`);
  return Buffer.from(renewed, 'latin1');
}

const idField = /"id":"((?:chatcmpl|cmpl|msg)[-_]\w+)"/;
const createdFields = /"created":\d+/g;

/** Another id of the same form: `chatcmpl-` and as many letters. */
function otherId(id: string): string {
  const prefixLength = id.search(/[-_]/) + 1;
  const letters = id.length - prefixLength;
  return (
    id.slice(0, prefixLength) +
    randomBytes(Math.ceil(letters / 2))
      .toString('hex')
      .slice(0, letters)
  );
}

/** One line of JSON about the response, then its body. */
export function encodeResponse({ body, ...about }: CachedResponse): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(about)}\n`), body]);
}

export function decodeResponse(encoded: Buffer): CachedResponse {
  const end = encoded.indexOf('\n');
  const about = JSON.parse(encoded.toString('utf8', 0, end)) as Omit<CachedResponse, 'body'>;
  return { ...about, body: encoded.subarray(end + 1) };
}
