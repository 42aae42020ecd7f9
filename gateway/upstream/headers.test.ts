import { describe, expect, it } from 'vitest';
import { usersFromProblem } from '../../keys/users.ts';
import { headersForBackend as backendHeaders, headersForClient } from './headers.ts';

/** By their names. */
function headersForBackend(...given: Parameters<typeof backendHeaders>): Record<string, string> {
  const headers = backendHeaders(...given);
  const names = headers.filter((_, i) => i % 2 === 0);
  return Object.fromEntries(names.map((name, i) => [name, headers[i * 2 + 1] ?? '']));
}

describe('headersForBackend', () => {
  it('passes the listed headers and adds those of the gateway', () => {
    const given = {
      authorization: 'Bearer sk-client',
      cookie: 'a=b',
      accept: '*/*',
      'x-conversation-id': '1',
    };
    expect(headersForBackend(given, 'id', 'backend-key')).toEqual({
      'x-request-id': 'id',
      accept: '*/*',
      'content-type': 'application/json',
      authorization: 'Bearer backend-key',
    });
  });

  it('passes none with which a key may tell its users apart', () => {
    const anything = new Proxy({}, { get: () => 'x' });
    const names = Object.keys(headersForBackend(anything, 'id', 'backend-key'));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(usersFromProblem(name), name).toBeDefined();
  });

  it("sends no Authorization if the backend has no key, and never the client's", () => {
    expect(headersForBackend({ authorization: 'Bearer sk-client' }, 'id', undefined)).not.toHaveProperty(
      'authorization',
    );
  });
});

describe('headersForClient', () => {
  const timing = { queuedMs: 1.4, processingMs: 2.6 };

  it('keeps the content length, and forbids buffering for streams only', () => {
    const plain = headersForClient(
      { 'content-type': 'application/json', 'content-length': '5', server: 'x' },
      timing,
    );
    expect(plain).toEqual({
      'content-type': 'application/json',
      'content-length': '5',
      'x-queue-wait-ms': '1',
      'openai-processing-ms': '3',
    });
    const stream = headersForClient({ 'content-type': 'text/event-stream', 'content-length': '5' }, timing);
    expect(stream).toMatchObject({ 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
    expect(stream).not.toHaveProperty('content-length');
  });
});
