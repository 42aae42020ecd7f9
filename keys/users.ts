import { hash } from 'node:crypto';

/** Headers that say something else, carry a secret, or reach the engine. Prefixes end with a dash. */
const takenHeaders = [
  ...[
    'authorization',
    'proxy-authorization',
    'cookie',
    'x-api-key',
    'api-key',
    'host',
    'x-request-id',
    'x-corral-',
  ],
  ...[
    'accept',
    'content-type',
    'content-length',
    'transfer-encoding',
    'connection',
    'traceparent',
    'tracestate',
  ],
  ...['anthropic-version', 'anthropic-beta'],
];

/** Why a key cannot have this header as `usersFrom`; undefined if it can. */
export function usersFromProblem(name: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]{1,64}$/.test(name))
    return 'must be the name of a header, such as X-OpenWebUI-User-Id, with at most 64 characters';
  const lower = name.toLowerCase();
  const isTaken = takenHeaders.some((taken) =>
    taken.endsWith('-') ? lower.startsWith(taken) : lower === taken,
  );
  return isTaken ? `must not be "${name}", which has another meaning` : undefined;
}

/** Longer values are no ids. Counted in bytes. */
const MAX_VALUE_BYTES = 256;
const ID_DIGITS = 16;

/**
 * The id of a user of a key, from the bytes that its client sends in the header of the key. The value itself is never kept:
 * it may be a mail address. The id of the key is part of the hash, so that no other key has a user with the same id. Undefined
 * for a value that identifies nobody.
 */
export function userId(keyId: string, value: Buffer): string | undefined {
  if (value.length === 0 || value.length > MAX_VALUE_BYTES) return undefined;
  return hash('sha256', Buffer.concat([Buffer.from(`${keyId}\n`), value]), 'hex').slice(0, ID_DIGITS);
}
