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

describe('mayTryAgain', () => {
  it.each<[string, ExchangeResult, Partial<Attempts>, boolean]>([
    ['complete: it is answered', { outcome: 'complete' }, {}, false],
    ['unreachable: nothing was sent', failed('unreachable'), {}, true],
    ['unreachable, whatever went before', failed('unreachable'), { count: 9, brokenOff: 9 }, true],
    ['unreachable again and again', failed('unreachable'), { count: 10 }, false],
    ['the engine says that it loads', declined(503), {}, true],
    ['broke off for the third time', failed('broke-off'), { brokenOff: 3 }, true],
    ['broke off too often: it may be the cause', failed('broke-off'), { brokenOff: 4 }, false],
    ['the client has left', failed('client-left'), {}, false],
    ['an operator cancelled it', failed('cancelled'), {}, false],
    ['it stayed silent past a limit', failed('stalled'), {}, false],
    ['it answered in another form: it would again', failed('misunderstood'), {}, false],
    ['we shut down', failed('shut-down'), {}, false],
    ['the engine does not like it', declined(400), {}, false],
  ])('%s', (_, ending, tries, expected) => {
    expect(shouldRetry(ending, { ...once, ...tries }, limits, 999)).toBe(expected);
  });

  it('not for ever', () => {
    expect(shouldRetry(failed('unreachable'), once, limits, 1000)).toBe(false);
  });
});

describe('tries', () => {
  it('count on while nothing is gained, and begin anew with a word of the answer', () => {
    const first = recordFailure(undefined, failed('broke-off'), { hasGotOn: true, now: 10 });
    expect(first).toEqual({ count: 1, brokenOff: 1, since: 10 });
    const second = recordFailure(first, failed('unreachable'), { hasGotOn: false, now: 20 });
    expect(second).toEqual({ count: 2, brokenOff: 1, since: 10 });
    const third = recordFailure(second, failed('broke-off'), { hasGotOn: true, now: 30 });
    expect(third).toEqual({ count: 1, brokenOff: 1, since: 30 });
  });

  it.each([
    [4, 3, true],
    [3, 3, false],
    [1, 0, false],
    [2, 0, true],
  ])('%d deaths in a row of %d allowed: the cause? %s', (brokenOff, maxReplays, expected) => {
    expect(isLikelyCrashCause({ ...once, brokenOff }, maxReplays)).toBe(expected);
  });
});
