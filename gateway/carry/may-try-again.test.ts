import { describe, expect, it } from 'vitest';
import type { Ending } from '../upstream/exchange.ts';
import type { FailureKind } from '../upstream/failure.ts';
import { PlainRelay } from '../upstream/relay.ts';
import { mayTryAgain } from './may-try-again.ts';

const limits = { maxReplays: 3, patienceMs: 1000 };
const failed = (kind: FailureKind): Ending => ({
  outcome: 'failed',
  failure: { kind, cause: undefined },
  relay: undefined,
});
const declined = (status: number): Ending => ({
  outcome: 'declined',
  error: { status, type: 'server_error', code: 'some', message: 'some' },
});

describe('mayTryAgain', () => {
  it.each<[string, Ending, number, boolean]>([
    ['complete: it is answered', { outcome: 'complete' }, 0, false],
    ['unreachable: nothing was sent', failed('unreachable'), 0, true],
    ['unreachable, whatever went before', failed('unreachable'), 9, true],
    ['broke off for the third time', failed('broke-off'), 3, true],
    ['broke off too often: it may be the cause', failed('broke-off'), 4, false],
    ['the client has left', failed('client-left'), 0, false],
    ['an operator cancelled it', failed('cancelled'), 0, false],
    ['it stayed silent past a limit', failed('stalled'), 0, false],
    ['it answered in another form: it would again', failed('misunderstood'), 0, false],
    ['we shut down', failed('shut-down'), 0, false],
    ['the engine does not like it', declined(400), 0, false],
  ])('%s', (_, ending, brokenOff, expected) => {
    expect(mayTryAgain(ending, { tries: 1, brokenOff, forMs: 0 }, limits)).toBe(expected);
  });

  it('not once its client has heard a part of an answer', () => {
    const relay = Object.create(PlainRelay.prototype) as PlainRelay;
    const spoken: Ending = { outcome: 'failed', failure: { kind: 'broke-off', cause: undefined }, relay };
    expect(mayTryAgain(spoken, { tries: 1, brokenOff: 1, forMs: 0 }, limits)).toBe(false);
  });

  it('not against a door that stays shut', () => {
    expect(mayTryAgain(failed('unreachable'), { tries: 10, brokenOff: 0, forMs: 0 }, limits)).toBe(false);
  });

  it('not for ever', () => {
    expect(mayTryAgain(failed('unreachable'), { tries: 1, brokenOff: 0, forMs: 1000 }, limits)).toBe(false);
  });
});
