import { expect, it } from 'vitest';
import { requestBackend } from './request-backend.ts';

const address = { origin: 'http://127.0.0.1:9', socketPath: undefined };

it.each([
  ['a key of two lines', { address, apiKey: 'one\ntwo' }, '/health'],
  ['an invalid path', { address, apiKey: undefined }, '/he alth'],
  ['an invalid address', { address: { origin: 'nowhere', socketPath: undefined }, apiKey: undefined }, '/'],
  ['a port where nothing listens', { address, apiKey: undefined }, '/health'],
])('never throws: %s', async (_, backend, path) => {
  expect(await requestBackend(backend, { path, timeoutMs: 5000 })).toEqual({ outcome: 'unreachable' });
});
