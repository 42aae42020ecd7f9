import { describe, expect, it } from 'vitest';
import type { Key } from '../../keys/key.ts';
import { createKey } from '../../keys/secret.ts';
import { RequestCancelled } from '../upstream/failure.ts';
import { LiveRequests } from './live-requests.ts';
import { createRequestRecord } from './request-record.ts';

function openIn(live: LiveRequests, id: string, keyId?: string) {
  const record = createRequestRecord({ id, method: 'POST', path: '/v1/completions', address: '127.0.0.1' });
  if (keyId !== undefined) record.keyId = keyId;
  const controller = new AbortController();
  return { record, signal: controller.signal, entry: live.add({ record, controller }) };
}

describe('live requests', () => {
  it('are listed from beginning to end', () => {
    const live = new LiveRequests();
    const [one, two] = [openIn(live, 'one'), openIn(live, 'two')];
    expect(live.records).toEqual([one.record, two.record]);
    one.entry[Symbol.dispose]();
    expect(live.records).toEqual([two.record]);
  });

  it('with one id are all cancelled, once', () => {
    const live = new LiveRequests();
    const [one, twin, other] = [openIn(live, 'same'), openIn(live, 'same'), openIn(live, 'other')];
    expect(live.cancel('same')).toBe(2);
    expect([one, twin, other].map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    expect(one.signal.reason).toBeInstanceOf(RequestCancelled);
    expect(live.cancel('same')).toBe(0);
    expect(live.cancel('none')).toBe(0);
  });

  it('of a disabled key are cancelled, including one whose key was checked just before', () => {
    const live = new LiveRequests();
    const [early, other, nobody] = [openIn(live, 'a', 'app'), openIn(live, 'b', 'web'), openIn(live, 'c')];
    expect(live.cancelForKeys(new Set(['app']))).toBe(1);
    const late = openIn(live, 'd', 'app');
    const aborted = [early, other, nobody, late].map(({ signal }) => signal.aborted);
    expect(aborted).toEqual([true, false, false, true]);
    live.cancelForKeys(new Set());
    expect(openIn(live, 'e', 'app').signal.aborted).toBe(false);
  });

  it('with an earlier secret of a key are cancelled, but not what the runner does for it', () => {
    const live = new LiveRequests();
    const [old, { key: current }] = [createKey('app', {}, 0).key, createKey('app', {}, 0)];
    const open = (key: Key, more: { isBatch?: boolean; background?: string } = {}) => {
      const record = createRequestRecord({
        id: 'a',
        method: 'POST',
        path: '/v1/completions',
        address: '::1',
      });
      record.keyId = key.id;
      const controller = new AbortController();
      live.add({ record, controller, key, ...more });
      return controller.signal;
    };
    const early = [
      open(old),
      open(old, { isBatch: true }),
      open(old, { background: 'resp_1' }),
      open(current),
    ];
    expect(live.cancelForKeys(new Set(), new Map([['app', current.fingerprint]]))).toBe(1);
    expect(early.map(({ aborted }) => aborted)).toEqual([true, false, false, false]);
    // Its secret was checked just before the rotation.
    expect(open(old).aborted).toBe(true);
    expect(open(current).aborted).toBe(false);
  });

  it('are counted, but lines of batches are not', () => {
    const counts: number[] = [];
    const live = new LiveRequests((count) => counts.push(count));
    const { record } = openIn(live, 'one');
    const line = live.add({ record, controller: new AbortController(), isBatch: true });
    openIn(live, 'two');
    line[Symbol.dispose]();
    expect(counts).toEqual([1, 1, 2, 2]);
    expect(live.count).toBe(2);
  });
});
