import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { storyText } from '../../cli/demo-model/stories.ts';
import { killProcess } from '../harness/child-processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { demoModelFile } from '../services/demo-models.ts';
import { type LlamaServer, startLlamaServer } from '../services/start-llama-server.ts';
import { sendChat } from './chat-client.ts';
import { type ConversationServer, holdConversations } from './conversations.ts';
import { findTestEngine, type ModelsProduct, secrets, startModelsProduct } from './product.ts';
import { atLeast, exactly, type Figure, type Report } from './report.ts';
import type { Scenario } from './scenario.ts';

/** Slots in all, whether one engine has them or two share them: so both have the same room for conversations. */
const slots = 8;
const contextPerSlot = 8192;
/** Of every engine, MiB: the cache for prompts that have left their slot. */
const promptCache = ['--cache-ram', '1024'];
const turns = 10;
/** As many as there are slots: with more, a conversation that pauses loses its slot wherever it is. */
const atOnce = slots;
const streams = 2 * slots;

/** Proof 4. Two llama-servers that are asked in turn, beside it, have no goals. */
export const replicas: Scenario = {
  claim: 'two replicas use their caches as one engine does, and one that is killed loses nothing',
  async run({ requests = 500, onProgress }) {
    const load = { model: 'guide', conversations: Math.ceil(requests / turns), turns, atOnce };
    const measure = async (name: string, serverOf: (request: number) => ConversationServer) => {
      const totals = await holdConversations({ ...load, serverOf });
      onProgress(
        `${name}: ${(100 * totals.cachedShare).toFixed(1)} % cached, ${totals.seconds.toFixed(0)} s`,
      );
      return totals;
    };
    const one = await withProduct(1, (server) => measure('one engine', () => server));
    const roundRobin = await withTwoServers((servers) =>
      measure('round robin', (request) => servers[request % 2] as ConversationServer),
    );
    return withProduct(2, async (server, product) => {
      const two = await measure('two replicas', () => server);
      const ofOne = { name: 'two replicas: of the share of one engine', goal: atLeast(0.9) };
      const problems = [one, roundRobin, two].flatMap((totals) => totals.problems);
      const killed = await killOne(server, product);
      return {
        problems: [...problems, ...(killed.problems ?? [])],
        figures: [
          { name: 'one engine: cached share', value: one.cachedShare },
          { name: 'round robin: cached share', value: roundRobin.cachedShare },
          { name: 'two replicas: cached share', value: two.cachedShare },
          { ...ofOne, value: two.cachedShare / one.cachedShare },
          { name: 'conversations: failed requests', value: problems.length, goal: exactly(0) },
          ...killed.figures,
        ],
      };
    });
  },
};

async function withProduct<T>(
  count: number,
  use: (server: ConversationServer, product: ModelsProduct) => Promise<T>,
): Promise<T> {
  const model = {
    ...{ id: 'guide', path: await demoModelFile('guide'), pin: true, replicas: count },
    ...{ parallel: slots / count, ctx: contextPerSlot },
  };
  await using product = await startModelsProduct({ models: [model] }, { EXTRA_ARGS: promptCache.join(' ') });
  await allReady(product, count);
  return await use({ origin: product.origin, secret: secrets.first }, product);
}

const allReady = (product: ModelsProduct, count: number) =>
  waitFor('all replicas', async () => {
    const { engines } = await product.model('guide');
    return engines.length === count && engines.every(({ status }) => status === 'ready');
  });

async function withTwoServers<T>(use: (servers: readonly ConversationServer[]) => Promise<T>): Promise<T> {
  const engine = await findTestEngine();
  const size = { slots: slots / 2, context: contextPerSlot, args: promptCache };
  const options = { ...size, engine, model: await demoModelFile('guide') };
  await using first = await startLlamaServer(options);
  await using second = await startLlamaServer(options);
  return await use([first, second].map(reachedDirectly));
}

function reachedDirectly({ backend: { address, apiKey = '' } }: LlamaServer): ConversationServer {
  const dispatcher = new Agent({ connect: { socketPath: address.socketPath ?? '' } });
  return { origin: address.origin, secret: apiKey, dispatcher };
}

async function metric(product: ModelsProduct, name: string): Promise<number> {
  const response = await product.admin('GET', '/metrics');
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(await response.text())?.[1];
  return Number(value ?? Number.NaN);
}

/** How many slots were leased at once until `done`: more than one replica has only if both get work. */
async function mostSlotsInUse(product: ModelsProduct, done: Promise<unknown>): Promise<number> {
  let most = 0;
  const over = done.then(() => true);
  for (;;) {
    most = Math.max(most, await metric(product, 'corral_slots_leased'));
    if (await Promise.race([over, sleep(50, false)])) return most;
  }
}

/** Kills a replica with more streams open than there are slots, and waits until the next one has work. */
async function killOne(server: ConversationServer, product: ModelsProduct): Promise<Report> {
  const ask = (n: number) =>
    sendChat(server, {
      ...{ model: 'guide', content: `${n}: a long story`, stream: true },
      expected: storyText('long story'),
    });
  const running = Array.from({ length: streams }, (_, n) => ask(n));
  await waitFor(
    'all slots to be in use',
    async () => (await metric(product, 'corral_slots_leased')) === slots,
  );
  const [killed] = product.pidsOf('guide');
  if (killed === undefined) throw new Error('no engine to kill');
  killProcess(killed, 'SIGKILL');
  const results = await Promise.all(running);
  const [continued, replayed] = [
    await metric(product, 'corral_continuations_total'),
    await metric(product, 'corral_replays_total'),
  ];
  await waitFor('another process', () => !product.pidsOf('guide').includes(killed));
  await allReady(product, 2);
  const asked = Promise.all(Array.from({ length: slots }, (_, n) => ask(n)));
  const inUse = await mostSlotsInUse(product, asked);
  const after = await asked;
  const exact = [...results, ...after].filter(({ outcome }) => outcome === 'exact').length;
  const figures: Figure[] = [
    { name: 'kill -9: exact answers', value: exact, goal: exactly(streams + slots) },
    { name: 'kill -9: continued or replayed', value: continued + replayed, goal: atLeast(1) },
    { name: 'kill -9: slots in use with the next process', value: inUse, goal: exactly(slots) },
  ];
  return { figures, problems: [...results, ...after].flatMap(({ problem = [] }) => problem) };
}
