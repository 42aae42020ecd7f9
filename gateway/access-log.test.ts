import { describe, expect, it } from 'vitest';
import { createLog } from '../log/create-log.ts';
import { formatPath, logRequest, tokensPerSecond } from './access-log.ts';
import type { RequestOutcome } from './proxy/request-record.ts';
import { createRequestRecord, type RequestRecord } from './proxy/request-record.ts';

const ok: RequestOutcome = { status: 200, outcome: 'ok' };

function recordOf(known: Partial<RequestRecord> = {}): RequestRecord {
  const start = { id: 'r-1', method: 'POST', path: '/v1/chat/completions', address: '127.0.0.1' };
  return { ...createRequestRecord(start), startedAt: 1000, endedAt: 3000, keyId: 'app', ...known };
}

function lineOf(record: RequestRecord, end: RequestOutcome = ok) {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', from: 'gateway', write: (line) => lines.push(line) });
  logRequest(log, record, end);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines.join(''));
}

describe('the log line of a request', () => {
  it('has all that is known of the request', () => {
    const record = recordOf({
      model: 'demo',
      streamed: true,
      queuedMs: 3.4,
      firstByteAt: 1500,
      bytesOut: 4321,
      usage: { input: 30, cached: 10, output: 31 },
      finishReason: 'stop',
      retries: 1,
      continued: 2,
    });
    const { time, ...line } = lineOf(record);
    expect(line).toEqual({
      level: 'info',
      from: 'gateway',
      msg: 'POST /v1/chat/completions 200',
      id: 'r-1',
      key: 'app',
      method: 'POST',
      path: '/v1/chat/completions',
      status: 200,
      model: 'demo',
      stream: true,
      ms: 2000,
      queueMs: 3,
      ttftMs: 500,
      tokensIn: 30,
      tokensCached: 10,
      tokensOut: 31,
      tokensPerSecond: 20,
      bytes: 4321,
      finish: 'stop',
      retries: 1,
      continued: 2,
      address: '127.0.0.1',
    });
    expect(Date.parse(time)).toBeGreaterThan(0);
  });

  it('has clientGone if the client has disconnected', () => {
    expect(lineOf(recordOf(), { status: 499, outcome: 'client_left' })).toMatchObject({
      level: 'info',
      status: 499,
      clientGone: true,
    });
  });

  it.each([
    [{ status: 200, outcome: 'ok' }, {}, 'info'],
    [{ status: 429, outcome: 'refused' }, { error: 'rate_limit_exceeded' }, 'info'],
    [{ status: 503, outcome: 'refused' }, { error: 'queue_full' }, 'warn'],
    [{ status: 500, outcome: 'refused' }, { error: 'internal_error' }, 'error'],
    [{ status: 200, outcome: 'broken_off' }, { error: 'bad_gateway', cause: new Error('cut') }, 'error'],
  ] as const)('%j is as important as %s %s', (end, known, level) => {
    expect(lineOf(recordOf(known), end).level).toBe(level);
  });

  it('of a probe has the level debug', () => {
    const probe = recordOf({ path: '/health', method: 'GET', keyId: undefined });
    expect(lineOf(probe).level).toBe('debug');
  });

  it('has a bounded length', () => {
    const cause = new Error('x'.repeat(100_000));
    const line = JSON.stringify(lineOf(recordOf({ path: `/${'y'.repeat(8000)}`, cause })));
    expect(line.length).toBeLessThan(6000);
  });
});

it.each([
  ['/v1/models', '/v1/models'],
  ['/x\n12:00:00.000 ERROR supervisor: lost', '/x%0A12:00:00.000%20ERROR%20supervisor:%20lost'],
  ['/\u001b[31m\u009b\u202e\u2028', '/%1B[31m%C2%9B%E2%80%AE%E2%80%A8'],
  ['/llama-corral has failed:', '/llama-corral%20has%20failed:'],
])('a path has neither spaces nor control characters: %j', (path, shown) => {
  expect(formatPath(path)).toBe(shown);
});

describe('tokens per second', () => {
  const usage = { input: 5, cached: 0, output: 100 };

  it('of a JSON response are measured over its time at the backend', () => {
    expect(tokensPerSecond(recordOf({ usage, computeMs: 500, firstByteAt: 2999 }))).toBe(200);
  });

  it.each([
    ['of fifteen tokens', { usage: { ...usage, output: 15 }, computeMs: 500 }],
    ['that came in one burst', { usage, streamed: true, firstByteAt: 2_499.8, endedAt: 2_500 }],
    ['in one piece that came at once', { usage, computeMs: 49 }],
  ])('are undefined for a response %s', (_, fields) => {
    expect(tokensPerSecond(recordOf(fields))).toBeUndefined();
  });

  it('are undefined without tokens or time', () => {
    expect(tokensPerSecond(recordOf({}))).toBeUndefined();
    expect(tokensPerSecond(recordOf({ usage }))).toBeUndefined();
    expect(tokensPerSecond(recordOf({ usage: { ...usage, output: 0 }, computeMs: 5 }))).toBeUndefined();
    const one = { usage: { ...usage, output: 1 }, streamed: true, firstByteAt: 2000 };
    expect(tokensPerSecond(recordOf(one))).toBeUndefined();
  });
});
