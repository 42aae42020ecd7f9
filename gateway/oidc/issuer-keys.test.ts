import { errors, type FlattenedJWSInput } from 'jose';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type FakeIssuer, startFakeIssuer } from '../../test/fakes/start-fake-issuer.ts';
import { IssuerKeys } from './issuer-keys.ts';

let issuer: FakeIssuer;
let keys: IssuerKeys;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  issuer = await startFakeIssuer();
  keys = new IssuerKeys({ issuer: issuer.issuer, staleMs: 3_600_000, log: pino({ level: 'silent' }) });
});
afterEach(async () => {
  vi.useRealTimers();
  keys.close();
  await issuer[Symbol.asyncDispose]();
});

const find = (kid: string) =>
  keys
    .find({ alg: 'RS256', kid }, {} as FlattenedJWSInput, () => true)
    .then(
      () => 'found',
      (error: unknown) => (error instanceof errors.JWKSNoMatchingKey ? 'unknown' : error),
    );

it('after a flood of invented keys, a new one is found as soon as six seconds later', async () => {
  for (let n = 0; n < 30; n++) expect(await find(`invented-${n}`)).toBe('unknown');
  const before = issuer.reads;
  const { kid } = await issuer.rotate();
  expect([await find(kid), issuer.reads]).toEqual(['unknown', before]);
  vi.advanceTimersByTime(6000);
  expect([await find(kid), issuer.reads]).toEqual(['found', before + 1]);
  for (let n = 30; n < 60; n++) expect(await find(`invented-${n}`)).toBe('unknown');
  expect(issuer.reads).toBe(before + 1);
});

it('a key that stays unknown is looked up once a minute', async () => {
  const before = await find('missing').then(() => issuer.reads);
  vi.advanceTimersByTime(59_999);
  expect([await find('missing'), issuer.reads]).toEqual(['unknown', before]);
  vi.advanceTimersByTime(1);
  expect([await find('missing'), issuer.reads]).toEqual(['unknown', before + 1]);
});
