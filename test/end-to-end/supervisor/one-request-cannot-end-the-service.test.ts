import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const crashingEngine = join(import.meta.dirname, '../../fakes/crashing-engine.ts');

/** A deployment whose engine crashes on the requests below. More crashes than `RESTART_MAX_CRASHES` would end it. */
async function startCrashing(env: Record<string, string> = {}): Promise<RunningDeployment> {
  const { command, args, ...engine } = inject('engine');
  const deployment = await startDeployment({
    real: {
      engine: { ...engine, command: process.execPath, args: [crashingEngine, command, ...args] },
      model: inject('demoModel'),
    },
    env: {
      ...{ MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '4', CTX: '4096', RESTART_DELAY_MIN: '50ms' },
      ...{ RESTART_DELAY_MAX: '100ms', RESTART_MAX_CRASHES: '5', ...env },
    },
  });
  await deployment.reachesStatus('ready');
  return deployment;
}

let deployment: RunningDeployment;
beforeAll(async () => {
  deployment = await startCrashing();
});
afterAll(() => deployment[Symbol.asyncDispose]());

async function post(path: string, body: object, at = deployment) {
  const response = await fetch(`http://127.0.0.1:${at.gatewayPort}${path}`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    retry: response.headers.get('x-should-retry'),
    text: await response.text(),
  };
}
const crashesOf = async (at = deployment) => ((await at.status()).restarts as { engine: number }).engine;
const chat = (content: string, fields = {}) => ({ messages: [{ role: 'user', content }], ...fields });
const rejected = { status: 422, retry: 'false', text: expect.stringMatching(/crashed or hung/) };

const crashing: [name: string, path: string, body: (word: string) => object][] = [
  ['a chat', '/v1/chat/completions', (word) => chat(`die at once ${word}`)],
  ['a streamed chat', '/v1/chat/completions', (word) => chat(`die at once ${word}`, { stream: true })],
  ['a completion', '/v1/completions', (word) => ({ prompt: `die at once ${word}`, max_tokens: 99 })],
  ['a message', '/v1/messages', (word) => chat(`die at once ${word}`, { max_tokens: 99 })],
  ['a response', '/v1/responses', (word) => ({ input: `die at once ${word}` })],
  ['a count of tokens', '/v1/messages/count_tokens', (word) => chat(`die at once ${word}`)],
  [
    'a long one, whose tokens are counted first',
    '/v1/chat/completions',
    (word) => chat(`die at once ${word}`.padEnd(14_000, ' x')),
  ],
];

describe('a request that crashes the engine is not sent a third time', () => {
  it.each(crashing)('%s', async (name, path, body) => {
    const before = await crashesOf();
    expect(await post(path, body(name))).toEqual(rejected);
    // The gateway may see a crash before the supervisor does.
    await waitFor('two restarts', async () => (await crashesOf()) >= before + 2);
    await deployment.reachesStatus('ready');
    expect(await crashesOf()).toBe(before + 2);
    // Nor when its client retries it, or sends the same prompt with other fields.
    expect(await post(path, body(name))).toEqual(rejected);
    const reordered = Object.fromEntries(
      Object.entries({ ...body(name), user: 'another', seed: 7 }).reverse(),
    );
    expect(await post(path, reordered)).toEqual(rejected);
    expect(await crashesOf()).toBe(before + 2);
  });

  it('the deployment survives more of these crashes than it would without a known cause', async () => {
    expect(await crashesOf()).toBeGreaterThan(10);
    expect((await post('/v1/chat/completions', chat('survival'))).status).toBe(200);
  });

  it('a stream that crashes the engine in the middle gets an error event', async () => {
    const before = await crashesOf();
    const { status, text } = await post(
      '/v1/chat/completions',
      chat('long story, die later', { stream: true }),
    );
    expect(status).toBe(200);
    expect(text).toContain('"code":"engine_crashed"');
    await deployment.reachesStatus('ready');
    expect(await crashesOf()).toBeLessThanOrEqual(before + 3);
  });
});

it('concurrent requests get their exact responses, and the one that crashes the engine is rejected', async () => {
  const before = await crashesOf();
  const harmless = Array.from({ length: 3 }, (_, n) =>
    post('/v1/chat/completions', chat('survival', { user: `${n}`, temperature: n / 10 })),
  );
  const crashing = post('/v1/chat/completions', chat('die at once, with others'));
  for (const { status, text } of await Promise.all(harmless)) {
    expect(status).toBe(200);
    expect(JSON.parse(text).choices[0].message.content).toBe(storyText('survival'));
  }
  expect(await crashing).toEqual(rejected);
  expect((await crashesOf()) - before).toBeLessThanOrEqual(4);
});

it('a request that hangs the engine is rejected too', async () => {
  // On a busy machine, an engine that works may be silent for two seconds.
  await using hanging = await startCrashing({ HANG_TIMEOUT: '5s', RESTART_MAX_CRASHES: '3' });
  // Without a known cause, the third would have ended the deployment.
  for (const content of ['hang', 'die at once']) {
    expect(await post('/v1/chat/completions', chat(content), hanging)).toEqual(rejected);
    expect(await post('/v1/chat/completions', chat(content), hanging)).toEqual(rejected);
  }
  expect((await post('/v1/chat/completions', chat('survival'), hanging)).status).toBe(200);
  expect(await crashesOf(hanging)).toBe(4);
});

it('nor can warm prompts, and those behind them are read', async () => {
  const file = join(newFolder(), 'warm.jsonl');
  const prompts = ['die at once', 'die at once again', 'harmless'].map((content) => chat(content));
  writeFileSync(file, prompts.map((prompt) => JSON.stringify(prompt)).join('\n'));
  await using warm = await startCrashing({ WARM_PROMPTS: file, RESTART_MAX_CRASHES: '4' });
  await waitFor('the last prompt', () => warm.output().includes('warm prompts are in the prompt cache'));
  expect(warm.output()).toMatch(/warm prompts are in the prompt cache .*prompts=1/);
  expect(
    warm.output().match(/a warm prompt cannot be read: .*crashed on it/g)?.length,
  ).toBeGreaterThanOrEqual(2);
  // Two for each, and one more if the warm-up begins anew meanwhile.
  expect(await crashesOf(warm)).toBeLessThanOrEqual(6);
  expect((await post('/v1/chat/completions', chat('survival'), warm)).status).toBe(200);
});
