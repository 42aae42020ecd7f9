import { waitFor } from '../harness/wait-for.ts';
import { ALIAS, askAlias, inParallel } from './alias-client.ts';
import { openStreams, readAdminModels } from './alias-streams.ts';
import type { ChatOutcome } from './chat-client.ts';
import type { ModelsProduct } from './product.ts';
import { atMost, exactly, type Figure, type Report } from './report.ts';
import type { ScenarioOptions } from './scenario.ts';

const STREAMS = 64;
/** So many new requests are sent until, and after, the first that goes to the new target. */
const AFTER = 50;
const GIVE_UP_MS = 60_000;

/** A promotion and a rollback, each under open streams. */
export async function measureSwitches(
  product: ModelsProduct,
  onProgress: ScenarioOptions['onProgress'],
): Promise<Report> {
  onProgress(`promotion under ${STREAMS} streams`);
  const promoted = await switchUnderStreams(product, 'promote', 'canary', { to: 'canary' });
  onProgress(`rollback under ${STREAMS} streams`);
  const rolledBack = await switchUnderStreams(product, 'rollback', 'stable');
  return {
    problems: [...(promoted.problems ?? []), ...(rolledBack.problems ?? [])],
    figures: [...promoted.figures, ...rolledBack.figures],
  };
}

async function switchUnderStreams(
  product: ModelsProduct,
  action: 'promote' | 'rollback',
  to: string,
  body: object = {},
): Promise<Report> {
  const streams = await openStreams(product, STREAMS);
  let open = STREAMS;
  for (const stream of streams) stream.then(() => (open -= 1));
  await untilAtTheGateway(product, () => open);
  const openBefore = open;
  const since = performance.now();
  const [response, lastOld] = await Promise.all([
    product.admin('POST', `/admin/aliases/${ALIAS}/${action}`, body),
    lastSentToOld(product, action, to, since),
  ]);
  if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
  const openThen = open;
  const outcomes = await Promise.all(streams);
  const count = (outcome: ChatOutcome) => outcomes.filter((one) => one.outcome === outcome).length;
  const figures: Figure[] = [
    { name: `${action}: open streams`, value: openBefore, goal: exactly(STREAMS) },
    { name: `${action}: still open after the switch`, value: openThen },
    { name: `${action}: streams, exact`, value: count('exact'), goal: exactly(STREAMS) },
    { name: `${action}: last request to the old target`, value: lastOld, unit: 'ms', goal: atMost(1000) },
  ];
  return { figures, problems: outcomes.flatMap(({ problem = [] }) => problem) };
}

/**
 * Sends new conversations until many have gone to the new target. Returns how long after `since` the last one was sent that
 * still went to the old one.
 */
async function lastSentToOld(product: ModelsProduct, action: string, to: string, since: number) {
  let [lastOld, after] = [0, 0];
  await inParallel(4, 4, async (client) => {
    for (let n = 0; after < AFTER && performance.now() - since < GIVE_UP_MS; n++) {
      const sent = performance.now() - since;
      const { model, status, text } = await askAlias(product, `${action} ${client} ${n}`);
      if (model === undefined) throw new Error(`${action}: ${status} ${text}`);
      if (model === to) after += 1;
      else lastOld = Math.max(lastOld, sent);
    }
  });
  return after < AFTER ? Number.NaN : lastOld;
}

/** Until all streams have a slot, or wait for one. */
async function untilAtTheGateway(product: ModelsProduct, countOpen: () => number): Promise<void> {
  await waitFor('the streams to arrive', async () => {
    const { models } = await readAdminModels(product);
    const arrived = models.reduce((sum, { slots, queue }) => sum + slots.busy + queue.waiting, 0);
    return arrived >= STREAMS || countOpen() < STREAMS;
  });
}
