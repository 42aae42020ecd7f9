import { expect, it } from 'vitest';
import { requestBackend } from './request-backend.ts';

const address = { origin: 'http://127.0.0.1:9', socketPath: undefined };

it.each([
  ['a key of two lines', { address, apiKey: 'one\ntwo' }, '/health'],
  ['a path that is none', { address, apiKey: undefined }, '/he alth'],
  [
    'an address that is none',
    { address: { origin: 'nowhere', socketPath: undefined }, apiKey: undefined },
    '/',
  ],
  ['a port where nobody listens', { address, apiKey: undefined }, '/health'],
])('never throws: %s', async (_, backend, path) => {
  expect(await requestBackend(backend, { path, timeoutMs: 5000 })).toEqual({ outcome: 'unreachable' });
});
