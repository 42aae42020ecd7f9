import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Client } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway, testerSecret } from '../../../scripts/harness/start-gateway.ts';
import { startGatewayProcess } from '../../../scripts/harness/start-gateway-process.ts';
import { type LlamaServer, startLlamaServer } from '../../../scripts/harness/start-llama-server.ts';
import { temporaryFolder } from '../../../scripts/harness/temporary-folder.ts';
import { waitFor } from '../../../scripts/harness/wait-for.ts';
import { LedgerFile, ledgerName } from '../../ledger/ledger-file.ts';
import { addUsage, noUsage, type UsageSums } from '../../ledger/usage-sums.ts';

let engine: LlamaServer;
beforeAll(async () => {
  engine = await startLlamaServer({ slots: 4 });
});
afterAll(() => engine.stop());

/** What a client was told of one request; of an aborted one what it saw, and what the same input cost before. */
type Told = Pick<UsageSums, 'input' | 'output'>;

interface Clients {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
}

function clientsOf(origin: string): Clients {
  const options = { apiKey: testerSecret, maxRetries: 0 };
  return {
    openai: new OpenAI({ ...options, baseURL: `${origin}/v1` }),
    anthropic: new Anthropic({ ...options, baseURL: origin }),
  };
}

const model = 'demo';
const chat = (words: string) => ({ model, messages: [{ role: 'user' as const, content: words }] });

const fromOpenAI = (usage: OpenAI.CompletionUsage | null | undefined): Told => ({
  input: usage?.prompt_tokens ?? Number.NaN,
  output: usage?.completion_tokens ?? Number.NaN,
});
const fromAnthropic = ({ usage }: Anthropic.Message): Told => ({
  input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
  output: usage.output_tokens,
});
/** llama-server's own words, which stand in a stream whether usage was asked for or not. */
interface Timings {
  readonly timings?: { readonly cache_n: number; readonly prompt_n: number; readonly predicted_n: number };
}
const fromTimings = ({ timings }: Timings): Told => ({
  input: (timings?.cache_n ?? Number.NaN) + (timings?.prompt_n ?? Number.NaN),
  output: timings?.predicted_n ?? Number.NaN,
});

/** Every kind of request that is told its tokens. */
const wholeOnes: ((clients: Clients, n: number) => Promise<Told>)[] = [
  async ({ openai }, n) => {
    const request = { ...chat(`keys, for the ${n}th time`), max_tokens: 1 + (n % 20) };
    return fromOpenAI((await openai.chat.completions.create(request)).usage);
  },
  async ({ openai }, n) => {
    const request = { ...chat(`limits ${n}`), stream_options: { include_usage: true } };
    const stream = await openai.chat.completions.create({
      ...request,
      max_tokens: 1 + (n % 20),
      stream: true,
    });
    const chunks = await Array.fromAsync(stream);
    return fromOpenAI(chunks.at(-1)?.usage);
  },
  async ({ openai }, n) => {
    const stream = await openai.chat.completions.create({ ...chat(`streams ${n}`), stream: true });
    const chunks = await Array.fromAsync(stream);
    return fromTimings(chunks.at(-1) as Timings);
  },
  async ({ openai }, n) => {
    const request = { model, prompt: `Tell me of ${n} horses`, max_tokens: 1 + (n % 20) };
    return fromOpenAI((await openai.completions.create(request)).usage);
  },
  async ({ anthropic }, n) =>
    fromAnthropic(await anthropic.messages.create({ ...chat(`survival ${n}`), max_tokens: 1 + (n % 20) })),
  async ({ anthropic }, n) => {
    const stream = anthropic.messages.stream({ ...chat(`dashboard ${n}`), max_tokens: 1 + (n % 20) });
    return fromAnthropic(await stream.finalMessage());
  },
  async ({ openai }, n) => {
    const { usage } = await openai.responses.create({
      model,
      input: `models ${n}`,
      max_output_tokens: 1 + (n % 20),
    });
    return { input: usage?.input_tokens ?? Number.NaN, output: usage?.output_tokens ?? Number.NaN };
  },
];

/** Long answers that their clients leave; what comes back of the output is what they saw of it. */
const abortedOnes: ((clients: Clients) => Promise<Told>)[] = [
  async ({ openai }) => {
    const request = chat('Tell me a long story');
    const { usage } = await openai.chat.completions.create({ ...request, max_tokens: 1 });
    let seen = 0;
    const stream = await openai.chat.completions.create({ ...request, stream: true });
    for await (const { choices } of stream) {
      if (choices[0]?.delta.content) seen += 1;
      if (seen > 20) break;
    }
    return { input: 2 * fromOpenAI(usage).input, output: 1 + seen };
  },
  async ({ openai }) => {
    const request = { model, prompt: 'Tell me a long story', max_tokens: 5000 };
    const { usage } = await openai.completions.create({ ...request, max_tokens: 1 });
    let seen = 0;
    for await (const { choices } of await openai.completions.create({ ...request, stream: true })) {
      if (choices[0]?.text) seen += 1;
      if (seen > 20) break;
    }
    return { input: 2 * fromOpenAI(usage).input, output: 1 + seen };
  },
  async ({ anthropic }) => {
    const request = { ...chat('Tell me a long story'), max_tokens: 5000 };
    const first = await anthropic.messages.create({ ...request, max_tokens: 1 });
    let seen = 0;
    const stream = await anthropic.messages.create({ ...request, stream: true });
    for await (const event of stream) {
      if (event.type === 'content_block_delta') seen += 1;
      if (seen > 20) break;
    }
    return { input: 2 * fromAnthropic(first).input, output: 1 + seen };
  },
];

async function manyRequests(
  clients: Clients,
  count: number,
  each: (clients: Clients, n: number) => Promise<Told>,
) {
  const told: UsageSums = { ...noUsage };
  let next = 0;
  const visitor = async () => {
    while (next < count) addUsage(told, { ...noUsage, requests: 1, ...(await each(clients, next++)) });
  };
  await Promise.all(Array.from({ length: 8 }, visitor));
  return told;
}

const whole = (clients: Clients, n: number) =>
  wholeOnes[n % wholeOnes.length]?.(clients, n) ?? Promise.reject(new Error('unreachable'));
const aborted = (clients: Clients, n: number) =>
  abortedOnes[n % abortedOnes.length]?.(clients) ?? Promise.reject(new Error('unreachable'));

function onDisk(folder: string): UsageSums {
  const file = new LedgerFile(join(folder, ledgerName), { readOnly: true });
  const [row] = file.sums({ since: '2000-01-01', keyId: 'tester', by: 'key' });
  file.close();
  return row ?? noUsage;
}

const showsNoSecret = (folder: string) => {
  const files = globSync(join(folder, `${ledgerName}*`));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const bytes = readFileSync(file);
    for (const secret of [testerSecret, engine.apiKey ?? '']) expect(bytes.includes(secret)).toBe(false);
  }
};

it('over all APIs, in one piece and as streams, across a stop', async () => {
  await using folder = await temporaryFolder();
  const told: UsageSums = { ...noUsage };
  for (let life = 0; life < 2; life++) {
    const corral = await startTestGateway({ backend: engine.backend, folder: folder.path });
    addUsage(told, await manyRequests(clientsOf(corral.origin), 140, whole));
    showsNoSecret(folder.path);
    await corral.stop();
  }
  const { requests, errors, input, output } = onDisk(folder.path);
  expect({ requests, errors, input, output }).toEqual({
    requests: 280,
    errors: 0,
    input: told.input,
    output: told.output,
  });
});

it('and of aborted streams: the exact input, at least what was seen, and at most what was generated', async () => {
  await using folder = await temporaryFolder();
  const corral = await startTestGateway({ backend: engine.backend, folder: folder.path });
  const before = await generatedTokens();
  const told = await manyRequests(clientsOf(corral.origin), 30, aborted);
  await corral.stop();
  const { requests, errors, input, output } = onDisk(folder.path);
  expect({ requests, errors, input }).toEqual({ requests: 60, errors: 0, input: told.input });
  expect(output).toBeGreaterThanOrEqual(told.output);
  const isGenerated = async () => (await generatedTokens()) - before >= output;
  // The engine counts a stream when it lets go of its slot.
  await waitFor('the engine to have counted as many', isGenerated);
});

it('but for the last second before a kill -9', async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: folder.path, API_KEYS: `tester:${testerSecret}` };
  const gateway = await startGatewayProcess(engine.backend, env);
  const told = await manyRequests(clientsOf(gateway.origin), 35, whole);
  await waitFor('all of it on disk', () => onDisk(folder.path).requests === 35, { within: 1500 });
  expect(onDisk(folder.path)).toMatchObject({ input: told.input, output: told.output });
  await manyRequests(clientsOf(gateway.origin), 14, whole);
  await gateway.kill();
  const left = onDisk(folder.path);
  expect(left.requests).toBeGreaterThanOrEqual(35);
  expect(left.requests).toBeLessThanOrEqual(49);
  showsNoSecret(folder.path);

  const corral = await startTestGateway({ backend: engine.backend, folder: folder.path });
  await corral.gateway.ledger.ready;
  expect(corral.gateway.ledger.today('tester', Date.now()).requests).toBe(left.requests);
  await whole(clientsOf(corral.origin), 0);
  await corral.stop();
  expect(onDisk(folder.path).requests).toBe(left.requests + 1);
});

/** As the engine itself counts them. */
async function generatedTokens(): Promise<number> {
  const { address, apiKey } = engine.backend;
  const client = new Client(address.origin, {
    ...(address.socketPath && { socketPath: address.socketPath }),
  });
  const headers = { authorization: `Bearer ${apiKey}` };
  const { body } = await client.request({ method: 'GET', path: '/metrics', headers });
  const text = await body.text();
  await client.close();
  return Number(/^llamacpp:tokens_predicted_total (\d+)/m.exec(text)?.[1]);
}
