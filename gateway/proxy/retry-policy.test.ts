import { describe, expect, it } from 'vitest';
import type { ExchangeResult } from '../upstream/exchange.ts';
import type { FailureKind } from '../upstream/failure.ts';
import { type Attempts, isLikelyCrashCause, recordFailure, shouldRetry } from './retry-policy.ts';

const limits = { maxReplays: 3, maxWaitMs: 1000 };
const failed = (kind: FailureKind): ExchangeResult => ({
  outcome: 'failed',
  failure: { kind, cause: undefined },
  relay: undefined,
});
const declined = (status: number): ExchangeResult => ({
  outcome: 'declined',
  error: { status, type: 'server_error', code: 'some', message: 'some' },
});
const once: Attempts = { count: 1, brokenOff: 0, since: 0 };

describe('a request is sent again', () => {
  it.each<[string, ExchangeResult, Partial<Attempts>, boolean]>([
    ['not if it is complete', { outcome: 'complete' }, {}, false],
    ['if the backend is unreachable', failed('unreachable'), {}, true],
    [
      'if the backend is unreachable, whatever happened before',
      failed('unreachable'),
      { count: 9, brokenOff: 9 },
      true,
    ],
    ['not if the backend is unreachable again and again', failed('unreachable'), { count: 10 }, false],
    ['if the engine is loading', declined(503), {}, true],
    ['if the engine broke off for the third time', failed('broke-off'), { brokenOff: 3 }, true],
    [
      'not if the engine broke off too often: the request may be the cause',
      failed('broke-off'),
      { brokenOff: 4 },
      false,
    ],
    ['not if the client has left', failed('client-left'), {}, false],
    ['not if an operator cancelled it', failed('cancelled'), {}, false],
    ['not after a timeout', failed('stalled'), {}, false],
    ['not after a response in the wrong format, which would come again', failed('misunderstood'), {}, false],
    ['not while the gateway shuts down', failed('shut-down'), {}, false],
    ['not if the engine declines it', declined(400), {}, false],
  ])('%s', (_, result, attempts, expected) => {
    expect(shouldRetry(result, { ...once, ...attempts }, limits, 999)).toBe(expected);
  });

  it('if the engine rejects our key, only where another one serves', () => {
    for (const status of [401, 403]) {
      expect(shouldRetry(declined(status), once, limits, 999)).toBe(false);
      expect(shouldRetry(declined(status), once, { ...limits, otherServes: true }, 999)).toBe(true);
    }
    expect(shouldRetry(declined(400), once, { ...limits, otherServes: true }, 999)).toBe(false);
  });

  it('not after the longest wait', () => {
    expect(shouldRetry(failed('unreachable'), once, limits, 1000)).toBe(false);
  });
});

describe('failed attempts', () => {
  it('add up without progress, and start from zero after a token of the response', () => {
    const first = recordFailure(undefined, failed('broke-off'), { madeProgress: true, now: 10 });
    expect(first).toEqual({ count: 1, brokenOff: 1, since: 10 });
    const second = recordFailure(first, failed('unreachable'), { madeProgress: false, now: 20 });
    expect(second).toEqual({ count: 2, brokenOff: 1, since: 10 });
    const third = recordFailure(second, failed('broke-off'), { madeProgress: true, now: 30 });
    expect(third).toEqual({ count: 1, brokenOff: 1, since: 30 });
  });

  it.each([
    [4, 3, true],
    [3, 3, false],
    [1, 0, false],
    [2, 0, true],
  ])('%d crashes in a row, %d replays allowed: likely the cause: %s', (brokenOff, maxReplays, expected) => {
    expect(isLikelyCrashCause({ ...once, brokenOff }, maxReplays)).toBe(expected);
  });
});
