import { describe, expect, it, vi } from 'vitest';
import { crashCauseLimits, isCrashCause } from './crash-cause.ts';
import { promptDigest } from './prompt-digest.ts';
import { Quarantine, TrackedRequest } from './quarantine.ts';

const body = (content: string, fields = {}) => Buffer.from(JSON.stringify({ prompt: content, ...fields }));
const never = new AbortController().signal;

function open({ maxReplays = 3, hearsOfKills = true } = {}) {
  const engine = { isUp: false };
  const onCulprit = vi.fn();
  const suspects = new Quarantine({
    isBackendUp: async () => engine.isUp,
    maxReplays,
    reportsKills: () => hearsOfKills,
    onBlocked: onCulprit,
  });
  /** The engine dies with these at work, each having got on so far. */
  const die = async (...at: [content: string, progress?: number][]) => {
    for (const [content, progress = 0] of at) {
      const work = suspects.start(body(content)) ?? new TrackedRequest(body(content));
      await suspects.connectionLost(work, progress);
    }
    suspects.onBackendUp();
  };
  const isRefused = (content: string, fields = {}) => suspects.isBlocked(body(content, fields));
  return { suspects, engine, onCulprit, die, isRefused };
}

describe('what the engine dies of', () => {
  it('twice is refused, in any order of its fields and whatever stands beside', async () => {
    const { die, isRefused, onCulprit } = open();
    await die(['poison']);
    expect(isRefused('poison')).toBe(false);
    await die(['poison']);
    expect(isRefused('poison', { stream: true, user: 'x', seed: 5, max_tokens: 7 })).toBe(true);
    expect(isRefused('poison ')).toBe(false);
    expect(onCulprit.mock.calls).toEqual([[2]]);
  });

  it('is found among others, who are cleared by their answers', async () => {
    const { suspects, die, isRefused } = open();
    await die(['poison'], ['a'], ['b']);
    for (const content of ['a', 'b']) {
      const work = suspects.start(body(content));
      expect(suspects.start(body('poison'))).toBeUndefined();
      if (work) suspects.completed(work);
      expect(suspects.isClear(body(content))).toBe(true);
    }
    await die(['poison']);
    expect([isRefused('poison'), isRefused('a'), isRefused('b')]).toEqual([true, false, false]);
  });

  it('is not the long stream that was there each time', async () => {
    const { die, isRefused } = open();
    for (const poison of ['p1', 'p2', 'p3', 'p4']) {
      await die([poison], ['long', 500]);
      await die([poison], ['long', 500]);
      expect(isRefused(poison)).toBe(true);
    }
    expect(isRefused('long')).toBe(false);
  });

  it('may be a stream that gets on each time, where it is alone', async () => {
    const { die, isRefused } = open();
    await die(['late', 500]);
    await die(['late', 500]);
    expect(isRefused('late')).toBe(true);
  });

  it('is nothing that was there when it was killed from outside, whether that is heard before or behind', async () => {
    const { suspects, die, isRefused } = open();
    for (let n = 0; n < 5; n++) {
      const work = suspects.start(body('there'));
      if (n % 2 === 0) suspects.excuseCrash();
      if (work) await suspects.connectionLost(work, 0);
      if (n % 2 === 1) suspects.excuseCrash();
      suspects.onBackendUp();
    }
    expect([isRefused('there'), suspects.isClear(body('there'))]).toEqual([false, true]);
    await die();
  });

  it('is nothing that got on, where nobody would say that it was killed', async () => {
    const { die, isRefused } = open({ hearsOfKills: false });
    for (let n = 0; n < 5; n++) await die(['long', 500]);
    expect(isRefused('long')).toBe(false);
  });

  it('is nothing of an engine that lives: a connection broke, and no more', async () => {
    const { suspects, engine, die, isRefused } = open();
    engine.isUp = true;
    for (let n = 0; n < 5; n++) await die(['there']);
    expect([isRefused('there'), suspects.isClear(body('there'))]).toEqual([false, true]);
  });

  it('may be one whose client has left: the engine was at it still', async () => {
    const { suspects, isRefused } = open();
    for (let n = 0; n < 2; n++) {
      const work = suspects.start(body('hang'));
      if (work) suspects.abandoned(work);
      suspects.onBackendDown();
      suspects.onBackendUp();
    }
    expect(isRefused('hang')).toBe(true);
  });

  it('is not one whose client has left, once a later one was answered', async () => {
    const { suspects } = open();
    const [gone, later] = [suspects.start(body('gone')), suspects.start(body('later'))];
    if (gone && later) {
      suspects.abandoned(gone);
      suspects.completed(later);
    }
    suspects.onBackendDown();
    suspects.onBackendUp();
    expect(suspects.isClear(body('gone'))).toBe(true);
  });

  it('is not cleared by being counted', async () => {
    const { suspects, die, isRefused } = open();
    await die(['poison']);
    suspects.counted(new TrackedRequest(body('poison')));
    await die(['poison']);
    expect(isRefused('poison')).toBe(true);
  });
});

describe('suspects go one at a time', () => {
  it('until one has said a word, or its client leaves', async () => {
    const { suspects, die } = open();
    await die(['a'], ['b'], ['c']);
    const first = suspects.start(body('a'));
    const order: string[] = [];
    const next = suspects.waitForTurn(never).then(() => order.push('next'));
    const gone = new AbortController();
    const leaving = suspects.waitForTurn(gone.signal).then(() => order.push('gone'));
    expect(suspects.start(body('b'))).toBeUndefined();
    expect(suspects.start(body('fresh'))).toBeDefined();
    gone.abort();
    await leaving;
    expect(order).toEqual(['gone']);
    if (first) suspects.onTokens(first);
    await next;
    expect(suspects.start(body('b'))).toBeDefined();
  });

  it('and to its end the one that was there twice', async () => {
    const { suspects, die } = open();
    await die(['a', 5], ['b', 5]);
    await die(['a', 5], ['b', 5]);
    const again = suspects.start(body('a'));
    if (again) suspects.onTokens(again);
    expect(suspects.start(body('b'))).toBeUndefined();
    if (again) suspects.completed(again);
    expect(suspects.start(body('b'))).toBeDefined();
  });
});

it('who allows more replays than usual has its requests tried again as often', () => {
  const death = new Map([['a', 0]]);
  const after = (deaths: number, maxReplays: number) =>
    isCrashCause('a', death, () => deaths, crashCauseLimits(maxReplays));
  expect([0, 1, 3].map((replays) => [after(1, replays), after(2, replays)])).toEqual([
    [false, true],
    [false, true],
    [false, true],
  ]);
  expect([after(500, 1000), after(999, 1000)]).toEqual([false, true]);
});

it.each([
  ['{"a":1,"b":{"c":2,"d":3}}', ' {"b" : {"d":3,"c":2},\n"a":1, "stream":true}', true],
  ['{"a":1}', '{"a":2}', false],
  ['{"a":{"seed":1}}', '{"a":{"seed":2}}', false],
  ['{"a":[1,2]}', '{"a":[2,1]}', false],
  ['a form', 'a form', true],
  ['a form', 'another form', false],
])('%s and %s are one matter: %s', (one, other, expected) => {
  expect(promptDigest(Buffer.from(one)) === promptDigest(Buffer.from(other))).toBe(expected);
});
