import { expect, it } from 'vitest';
import { storeVariables } from './store-variables.ts';

const { STORE, STORE_KEY } = storeVariables;
const bytes = Buffer.from(Array.from({ length: 32 }, (_, n) => n * 8));

it.each(['hex', 'base64', 'base64url'] as const)('STORE_KEY is accepted in %s', (encoding) => {
  expect(STORE_KEY.kind.parse(bytes.toString(encoding))).toBe(bytes.toString('hex'));
});

it.each(['', 'secret', bytes.toString('hex').slice(2), bytes.subarray(1).toString('base64'), 'x'.repeat(64)])(
  'STORE_KEY rejects %j',
  (text) => expect(STORE_KEY.kind.parse(text)).toBeUndefined(),
);

it.each(['on', 'true', '1'])('STORE=%s turns the store on', (text) => {
  const value = STORE.kind.parse(text);
  expect(value).toBe(true);
  expect(STORE.kind.format(value ?? false)).toBe('on');
});
