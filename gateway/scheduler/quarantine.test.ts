import { describe, expect, it, vi } from 'vitest';
import { crashCauseLimits, isCrashCause, promptDigest } from './crash-cause.ts';
import { createSuspects, Quarantine, TrackedRequest } from './quarantine.ts';

const body = (content: string, fields = {}) => Buffer.from(JSON.stringify({ prompt: content, ...fields }));
const never = new AbortController().signal;

function createQuarantine({ maxReplays = 3, reportsKills = true, suspects = createSuspects() } = {}) {
  const engine = { isUp: false };
  const onBlocked = vi.fn();
  const options = {
    isBackendUp: async () => engine.isUp,
    maxReplays,
    reportsKills: () => reportsKills,
    onBlocked,
  };
  const quarantine = new Quarantine(options, suspects);
  /** The engine crashes with these bodies, each of which has made that progress. */
  const crash = async (...at: [content: string, progress?: number][]) => {
    for (const [content, progress = 0] of at) {
      const request = quarantine.start(body(content)) ?? new TrackedRequest(body(content));
      await quarantine.connectionLost(request, progress);
    }
    quarantine.onBackendUp();
  };
  const isBlocked = (content: string, fields = {}) => quarantine.isBlocked(body(content, fields));
  return { quarantine, engine, onBlocked, crash, isBlocked };
}

describe('a body that the engine crashes on', () => {
  it('is blocked after two crashes, whatever the order of its fields and fields that do not change the prompt', async () => {
    const { crash, isBlocked, onBlocked } = createQuarantine();
    await crash(['poison']);
    expect(isBlocked('poison')).toBe(false);
    await crash(['poison']);
    expect(isBlocked('poison', { stream: true, user: 'x', seed: 5, max_tokens: 7 })).toBe(true);
    expect(isBlocked('poison ')).toBe(false);
    expect(onBlocked.mock.calls).toEqual([[2]]);
  });

  it('is blocked at all engines of a model, though each of them crashed once', async () => {
    const suspects = createSuspects();
    const [first, second] = [createQuarantine({ suspects }), createQuarantine({ suspects })];
    await first.crash(['poison']);
    await second.crash(['poison']);
    expect([first.isBlocked('poison'), second.isBlocked('poison')]).toEqual([true, true]);
  });

  it('is found among others, which are no suspects any more when they have been served', async () => {
    const { quarantine, crash, isBlocked } = createQuarantine();
    await crash(['poison'], ['a'], ['b']);
    for (const content of ['a', 'b']) {
      const request = quarantine.start(body(content));
      expect(quarantine.start(body('poison'))).toBeUndefined();
      if (request) quarantine.completed(request);
      expect(quarantine.isSuspect(body(content))).toBe(false);
    }
    await crash(['poison']);
    expect([isBlocked('poison'), isBlocked('a'), isBlocked('b')]).toEqual([true, false, false]);
  });

  it('is not the long stream that was there at each crash', async () => {
    const { crash, isBlocked } = createQuarantine();
    for (const poison of ['p1', 'p2', 'p3', 'p4']) {
      await crash([poison], ['long', 500]);
      await crash([poison], ['long', 500]);
      expect(isBlocked(poison)).toBe(true);
    }
    expect(isBlocked('long')).toBe(false);
  });

  it('may be a stream that makes progress each time, if it is alone', async () => {
    const { crash, isBlocked } = createQuarantine();
    await crash(['late', 500]);
    await crash(['late', 500]);
    expect(isBlocked('late')).toBe(true);
  });

  it('is not one that was there when the engine was killed from outside, whether that is reported before or after', async () => {
    const { quarantine, crash, isBlocked } = createQuarantine();
    for (let n = 0; n < 5; n++) {
      const request = quarantine.start(body('there'));
      if (n % 2 === 0) quarantine.ignoreCrash();
      if (request) await quarantine.connectionLost(request, 0);
      if (n % 2 === 1) quarantine.ignoreCrash();
      quarantine.onBackendUp();
    }
    expect([isBlocked('there'), quarantine.isSuspect(body('there'))]).toEqual([false, false]);
    await crash();
  });

  it('is not one that made progress, if nobody reports kills', async () => {
    const { crash, isBlocked } = createQuarantine({ reportsKills: false });
    for (let n = 0; n < 5; n++) await crash(['long', 500]);
    expect(isBlocked('long')).toBe(false);
  });

  it('is not one whose connection broke while the engine lives', async () => {
    const { quarantine, engine, crash, isBlocked } = createQuarantine();
    engine.isUp = true;
    for (let n = 0; n < 5; n++) await crash(['there']);
    expect([isBlocked('there'), quarantine.isSuspect(body('there'))]).toEqual([false, false]);
  });

  it('may be one whose client has left, as the engine still works on it', async () => {
    const { quarantine, isBlocked } = createQuarantine();
    for (let n = 0; n < 2; n++) {
      const request = quarantine.start(body('hang'));
      if (request) quarantine.abandoned(request);
      quarantine.onBackendDown();
      quarantine.onBackendUp();
    }
    expect(isBlocked('hang')).toBe(true);
  });

  it('is not one whose client has left, once a later request was served', async () => {
    const { quarantine } = createQuarantine();
    const [gone, later] = [quarantine.start(body('gone')), quarantine.start(body('later'))];
    if (gone && later) {
      quarantine.abandoned(gone);
      quarantine.completed(later);
    }
    quarantine.onBackendDown();
    quarantine.onBackendUp();
    expect(quarantine.isSuspect(body('gone'))).toBe(false);
  });

  it('remains a suspect when its tokens have been counted', async () => {
    const { quarantine, crash, isBlocked } = createQuarantine();
    await crash(['poison']);
    quarantine.counted(new TrackedRequest(body('poison')));
    await crash(['poison']);
    expect(isBlocked('poison')).toBe(true);
  });
});

describe('suspects are sent one at a time', () => {
  it('until one has produced tokens, or its client leaves', async () => {
    const { quarantine, crash } = createQuarantine();
    await crash(['a'], ['b'], ['c']);
    const first = quarantine.start(body('a'));
    const order: string[] = [];
    const next = quarantine.waitForTurn(never).then(() => order.push('next'));
    const gone = new AbortController();
    const leaving = quarantine.waitForTurn(gone.signal).then(() => order.push('gone'));
    expect(quarantine.start(body('b'))).toBeUndefined();
    expect(quarantine.start(body('fresh'))).toBeDefined();
    gone.abort();
    await leaving;
    expect(order).toEqual(['gone']);
    if (first) quarantine.onTokens(first);
    await next;
    expect(quarantine.start(body('b'))).toBeDefined();
  });

  it('and to its end if it was there at two crashes', async () => {
    const { quarantine, crash } = createQuarantine();
    await crash(['a', 5], ['b', 5]);
    await crash(['a', 5], ['b', 5]);
    const again = quarantine.start(body('a'));
    if (again) quarantine.onTokens(again);
    expect(quarantine.start(body('b'))).toBeUndefined();
    if (again) quarantine.completed(again);
    expect(quarantine.start(body('b'))).toBeDefined();
  });
});

it('a higher MAX_REPLAYS allows as many more crashes', () => {
  const crash = new Map([['a', 0]]);
  const after = (deaths: number, maxReplays: number) =>
    isCrashCause('a', crash, () => deaths, crashCauseLimits(maxReplays));
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
])('the same prompt: %s and %s: %s', (one, other, expected) => {
  expect(promptDigest(Buffer.from(one)) === promptDigest(Buffer.from(other))).toBe(expected);
});
