import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';

const mortal = join(import.meta.dirname, '../../fakes/crashing-engine.ts');

/** A house whose engine dies of what is called deadly here. More deaths than `RESTART_MAX_CRASHES` would end it. */
async function startMortal(env: Record<string, string> = {}): Promise<RunningDeployment> {
  const { command, args, ...engine } = inject('engine');
  const house = await startDeployment({
    real: {
      engine: { ...engine, command: process.execPath, args: [mortal, command, ...args] },
      model: inject('demoModel'),
    },
    env: {
      ...{ MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '4', CTX: '4096', RESTART_DELAY_MIN: '50ms' },
      ...{ RESTART_DELAY_MAX: '100ms', RESTART_MAX_CRASHES: '5', ...env },
    },
  });
  await house.reachesStatus('ready');
  return house;
}

let house: RunningDeployment;
beforeAll(async () => {
  house = await startMortal();
});
afterAll(() => house[Symbol.asyncDispose]());

async function post(path: string, body: object, at = house) {
  const answer = await fetch(`http://127.0.0.1:${at.gatewayPort}${path}`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, retry: answer.headers.get('x-should-retry'), text: await answer.text() };
}
const deathsOf = async (at = house) => ((await at.status()).restarts as { engine: number }).engine;
const chat = (content: string, fields = {}) => ({ messages: [{ role: 'user', content }], ...fields });
const refused = { status: 422, retry: 'false', text: expect.stringMatching(/crashed, or hung/) };

const deadly: [name: string, path: string, body: (word: string) => object][] = [
  ['a chat', '/v1/chat/completions', (word) => chat(`die at once ${word}`)],
  ['a streamed chat', '/v1/chat/completions', (word) => chat(`die at once ${word}`, { stream: true })],
  ['a completion', '/v1/completions', (word) => ({ prompt: `die at once ${word}`, max_tokens: 99 })],
  ['a message', '/v1/messages', (word) => chat(`die at once ${word}`, { max_tokens: 99 })],
  ['a response', '/v1/responses', (word) => ({ input: `die at once ${word}` })],
  ['a count of tokens', '/v1/messages/count_tokens', (word) => chat(`die at once ${word}`)],
  [
    'one that is counted first, as it is long',
    '/v1/chat/completions',
    (word) => chat(`die at once ${word}`.padEnd(14_000, ' x')),
  ],
];

describe('a request that the engine dies of is not given it a third time', () => {
  it.each(deadly)('%s', async (name, path, body) => {
    const before = await deathsOf();
    expect(await post(path, body(name))).toEqual(refused);
    await house.reachesStatus('ready');
    expect(await deathsOf()).toBe(before + 2);
    // Nor when its client tries again, or says the same in other words.
    expect(await post(path, body(name))).toEqual(refused);
    const reordered = Object.fromEntries(
      Object.entries({ ...body(name), user: 'another', seed: 7 }).reverse(),
    );
    expect(await post(path, reordered)).toEqual(refused);
    expect(await deathsOf()).toBe(before + 2);
  });

  it('and the house is still there after more deaths than it would bear without a culprit', async () => {
    expect(await deathsOf()).toBeGreaterThan(10);
    expect((await post('/v1/chat/completions', chat('survival'))).status).toBe(200);
  });

  it('one that dies of it in the middle of a stream is told so in the stream', async () => {
    const before = await deathsOf();
    const { status, text } = await post(
      '/v1/chat/completions',
      chat('long story, die later', { stream: true }),
    );
    expect(status).toBe(200);
    expect(text).toContain('"code":"engine_crashed"');
    await house.reachesStatus('ready');
    expect(await deathsOf()).toBeLessThanOrEqual(before + 3);
  });
});

it('who was merely there is answered to the letter, and the deadly one refused', async () => {
  const before = await deathsOf();
  const innocents = Array.from({ length: 3 }, (_, n) =>
    post('/v1/chat/completions', chat('survival', { user: `${n}`, temperature: n / 10 })),
  );
  const guilty = post('/v1/chat/completions', chat('die at once, with others'));
  for (const { status, text } of await Promise.all(innocents)) {
    expect(status).toBe(200);
    expect(JSON.parse(text).choices[0].message.content).toBe(storyText('survival'));
  }
  expect(await guilty).toEqual(refused);
  expect((await deathsOf()) - before).toBeLessThanOrEqual(4);
});

it('a request that the engine hangs of is refused likewise', async () => {
  await using hanging = await startMortal({ HANG_TIMEOUT: '2s', RESTART_MAX_CRASHES: '3' });
  for (const word of ['one', 'two']) {
    expect(await post('/v1/chat/completions', chat(`hang ${word}`), hanging)).toEqual(refused);
    expect(await post('/v1/chat/completions', chat(`hang ${word}`), hanging)).toEqual(refused);
  }
  expect(await deathsOf(hanging)).toBe(4);
  expect((await post('/v1/chat/completions', chat('survival'), hanging)).status).toBe(200);
});
