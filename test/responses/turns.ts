import { writeFileSync } from 'node:fs';
import { storyText } from '../../cli/demo-model/stories.ts';
import { newId } from '../../store/ids.ts';
import type { Store } from '../../store/store.ts';
import { answerWithItems, outputText } from '../fakes/responses-engine.ts';
import { startFakeBackend } from '../fakes/start-fake-backend.ts';
import { keyFileText } from '../harness/key-file-text.ts';
import { openProductStore } from '../harness/open-test-store.ts';
import { cpuSeconds } from '../harness/process-usage.ts';
import { testerSecret } from '../harness/start-gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../harness/start-gateway-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { atMost } from '../several-models/report.ts';
import type { Scenario } from './scenario.ts';

/** Turns of each conversation. */
const DEPTH = 50;
const REQUESTS = 2000;
const BLOCKS = 10;
const BLOCK = 20;

export const turns: Scenario = {
  claim:
    'with 100,000 stored turns a response is read in 20 ms (p99), and a turn costs 2 ms more than without a store',
  async run({ responses: count = 100_000, onProgress }) {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('keys.json'), keyFileText({ app: { secret: testerSecret } }), { mode: 0o600 });
    using store = openProductStore(folder.path);
    // It answers at once: what is left is the time of the gateway.
    await using engine = await startFakeBackend(answerWithItems(() => [outputText(storyText('limits'))]));
    const env = { DATA_DIR: folder.path, STORE: 'on', GPU_METRICS: 'off', MAX_REQUESTS_PER_MINUTE: '0' };
    await using gateway = await startGatewayProcess(engine.backend, env, { asChild: true });
    const startedAt = performance.now();
    const ids = fill(store, count);
    const seconds = (performance.now() - startedAt) / 1000;
    onProgress(`${count} turns stored`);
    const reads = await measureReads(gateway, ids);
    onProgress('turns');
    const { stored, stateless } = await measureTurns(gateway);
    return {
      figures: [
        { name: 'stored turns', value: count },
        { name: 'until they were stored', value: seconds, unit: 's' },
        { name: 'GET, median', value: quantile(reads, 0.5), unit: 'ms' },
        { name: 'GET, p99', value: quantile(reads, 0.99), unit: 'ms', goal: atMost(20) },
        { name: `turn ${DEPTH + 1}, median`, value: quantile(stored.times, 0.5), unit: 'ms' },
        { name: 'the same without a store, median', value: quantile(stateless.times, 0.5), unit: 'ms' },
        {
          name: 'overhead of a turn, median',
          value: quantile(stored.times, 0.5) - quantile(stateless.times, 0.5),
          unit: 'ms',
          goal: atMost(2),
        },
        {
          name: 'overhead of a turn in CPU time of the gateway',
          value: (stored.cpu - stateless.cpu) / (BLOCKS * BLOCK),
          unit: 'ms',
        },
      ],
    };
  },
};

const question = (n: number) => ({
  type: 'message',
  role: 'user',
  content: [
    {
      type: 'input_text',
      text: `${n}: what do I have to know about keys? ${'And tell me more. '.repeat(20)}`,
    },
  ],
});

/** Stores conversations by ids of responses, as the gateway does turn by turn. Returns the ids of all responses. */
function fill(store: Store, count: number): string[] {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const id = newId('resp_');
    const message = {
      ...{ id: newId('msg_'), type: 'message', role: 'assistant', status: 'completed' },
      content: [{ type: 'output_text', text: storyText('keys'), annotations: [], logprobs: [] }],
    };
    const createdAt = Math.floor(Date.now() / 1000);
    const previousId = n % DEPTH === 0 ? null : (ids.at(-1) ?? null);
    store.responses.save({
      ...{ owner: 'app', id, status: 'completed', model: 'demo', createdAt, previousId, stream: false },
      input: [{ item: { ...question(n), id: newId('msg_') } }],
      object: {
        ...{ id, object: 'response', created_at: createdAt, completed_at: createdAt, status: 'completed' },
        ...{ model: 'demo', output: [message], error: null, tools: [], metadata: {} },
        usage: { input_tokens: 300, output_tokens: 300, total_tokens: 600 },
      },
    });
    ids.push(id);
  }
  return ids;
}

/** Milliseconds of requests for responses at random. */
async function measureReads(gateway: GatewayProcess, ids: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < REQUESTS; n++) {
    const id = ids[Math.floor(Math.random() * ids.length)];
    const startedAt = performance.now();
    await send(gateway, `GET /v1/responses/${id}`);
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Requests of one kind. */
interface Measured {
  /** Milliseconds of each. */
  readonly times: number[];
  /** Milliseconds of CPU time of the gateway. */
  cpu: number;
}

/**
 * The turn after so many others, many times, and the same requests of a client that sends the whole conversation and lets
 * nothing be stored, in blocks that alternate.
 */
async function measureTurns(gateway: GatewayProcess): Promise<{ stored: Measured; stateless: Measured }> {
  const more = { model: 'demo', temperature: 0 };
  const items: object[] = [];
  let previous: string | undefined;
  for (let n = 0; n < DEPTH; n++) {
    const input = [ask(n)];
    const { id, output } = await send<Told>(gateway, 'POST /v1/responses', {
      ...{ ...more, input },
      ...(previous !== undefined && { previous_response_id: previous }),
    });
    items.push(...input, ...output);
    previous = id;
  }
  const requests = {
    stored: (n: number) => ({ ...more, input: [ask(n)], previous_response_id: previous }),
    stateless: (n: number) => ({ ...more, input: [...items, ask(n)], store: false }),
  };
  const measured = { stored: { times: [], cpu: 0 }, stateless: { times: [], cpu: 0 } };
  const { pid = 0 } = gateway.process;
  for (let block = 0; block < BLOCKS; block++) {
    for (const kind of ['stored', 'stateless'] as const) {
      const { times }: Measured = measured[kind];
      const before = cpuSeconds(pid);
      for (let n = 0; n < BLOCK; n++) {
        const body = requests[kind](block * BLOCK + n);
        const startedAt = performance.now();
        await send<Told>(gateway, 'POST /v1/responses', body);
        times.push(performance.now() - startedAt);
      }
      measured[kind].cpu += 1000 * (cpuSeconds(pid) - before);
    }
  }
  return measured;
}

const ask = (n: number) => ({ type: 'message', role: 'user', content: `${n}: keys` });

interface Told {
  readonly id: string;
  readonly output: readonly object[];
}

async function send<T>({ origin }: GatewayProcess, what: string, json?: object): Promise<T> {
  const [method = '', path = ''] = what.split(' ');
  const response = await fetch(origin + path, {
    method,
    headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
    body: json === undefined ? null : JSON.stringify(json),
  });
  if (!response.ok) throw new Error(`${what}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
}
