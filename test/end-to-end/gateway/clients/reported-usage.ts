import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { addUsage, noUsage, type UsageSums } from '../../../../gateway/api/usage.ts';
import { LedgerFile, ledgerFileName } from '../../../../gateway/usage/ledger-file.ts';
import { testerSecret } from '../../../harness/start-gateway.ts';

/** The usage of one request as reported to its client. For an aborted request: the tokens received, and the input of the same request before. */
export type ReportedUsage = Pick<UsageSums, 'input' | 'output'>;

export interface Clients {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
}

type Send = (clients: Clients, n: number) => Promise<ReportedUsage>;

export function createClients(origin: string, apiKey = testerSecret): Clients {
  const options = { apiKey, maxRetries: 0 };
  return {
    openai: new OpenAI({ ...options, baseURL: `${origin}/v1` }),
    anthropic: new Anthropic({ ...options, baseURL: origin }),
  };
}

const model = 'demo';
const few = (n: number) => 1 + (n % 8);
const chat = (content: string) => ({ model, messages: [{ role: 'user' as const, content }] });

const fromOpenAI = (usage: OpenAI.CompletionUsage | null | undefined): ReportedUsage => ({
  input: usage?.prompt_tokens ?? Number.NaN,
  output: usage?.completion_tokens ?? Number.NaN,
});
const fromAnthropic = ({ usage }: Anthropic.Message): ReportedUsage => ({
  input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
  output: usage.output_tokens,
});
/** llama-server's own field, which is in a stream with or without include_usage. */
interface Timings {
  readonly timings?: { readonly cache_n: number; readonly prompt_n: number; readonly predicted_n: number };
}
const fromTimings = ({ timings }: Timings): ReportedUsage => ({
  input: (timings?.cache_n ?? Number.NaN) + (timings?.prompt_n ?? Number.NaN),
  output: timings?.predicted_n ?? Number.NaN,
});

/** All kinds of requests whose usage is reported. */
const completeRequests: readonly Send[] = [
  async ({ openai }, n) => {
    const request = { ...chat(`keys, for the ${n}th time`), max_tokens: few(n) };
    return fromOpenAI((await openai.chat.completions.create(request)).usage);
  },
  async ({ openai }, n) => {
    const request = { model, prompt: `Tell me of ${n} horses`, max_tokens: few(n) };
    return fromOpenAI((await openai.completions.create(request)).usage);
  },
  async ({ anthropic }, n) =>
    fromAnthropic(await anthropic.messages.create({ ...chat(`survival ${n}`), max_tokens: few(n) })),
  async ({ openai }, n) => {
    const request = { model, input: `models ${n}`, max_output_tokens: few(n) };
    const { usage } = await openai.responses.create(request);
    return { input: usage?.input_tokens ?? Number.NaN, output: usage?.output_tokens ?? Number.NaN };
  },
  async ({ openai }, n) => {
    const request = { ...chat(`limits ${n}`), stream_options: { include_usage: true }, max_tokens: few(n) };
    const stream = await openai.chat.completions.create({ ...request, stream: true });
    return fromOpenAI((await Array.fromAsync(stream)).at(-1)?.usage);
  },
  async ({ openai }, n) => {
    const request = { ...chat(`streams ${n}`), max_tokens: few(n) };
    const stream = await openai.chat.completions.create({ ...request, stream: true });
    return fromTimings((await Array.fromAsync(stream)).at(-1) as Timings);
  },
  async ({ anthropic }, n) => {
    const stream = anthropic.messages.stream({ ...chat(`dashboard ${n}`), max_tokens: few(n) });
    return fromAnthropic(await stream.finalMessage());
  },
];

/** Long responses that their clients abort. Each returns the output received. */
const abortedRequests: readonly Send[] = [
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

/** Sends `count` requests, eight at a time, and adds up the reported usage. */
export async function sendMany(clients: Clients, count: number, send: Send): Promise<UsageSums> {
  const reported: UsageSums = { ...noUsage };
  let next = 0;
  const client = async () => {
    while (next < count) addUsage(reported, { ...noUsage, requests: 1, ...(await send(clients, next++)) });
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return reported;
}

/** A request whose usage is reported. The APIs take turns. */
export const complete = takeTurns(completeRequests);
/** A longer stream whose usage is reported. */
export async function long({ openai }: Clients): Promise<ReportedUsage> {
  const request = { ...chat('Tell me a long story'), stream_options: { include_usage: true } };
  const stream = await openai.chat.completions.create({ ...request, max_tokens: 300, stream: true });
  return fromOpenAI((await Array.fromAsync(stream)).at(-1)?.usage);
}

/** A long stream that its client aborts. It makes two requests. */
export const aborted = takeTurns(abortedRequests);

function takeTurns(kinds: readonly Send[]): Send {
  return (clients, n) =>
    kinds[n % kinds.length]?.(clients, n) ?? Promise.reject(new Error('no kind of request'));
}

/** The usage of a key in the ledger of a folder. */
export function readLedger(folder: string, keyId = 'tester'): UsageSums {
  const file = new LedgerFile(join(folder, ledgerFileName), { readOnly: true });
  const [row] = file.sums({ since: '2000-01-01', keyId, by: ['key'] });
  file.close();
  return row ?? noUsage;
}
