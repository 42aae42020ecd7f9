import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../harness/wait-for.ts';
import type { Contender } from '../contenders/start-contender.ts';
import { median } from '../rounds.ts';
import type { StubUpstream } from '../stub-upstream.ts';
import { type Check, measureEach, sendUnread } from './check.ts';

const REPETITIONS = 5;
const TIMEOUT_MS = 1500;

interface Disconnect {
  readonly model: string;
  readonly isStream: boolean;
  /** The client disconnects after the first token. */
  readonly afterFirstToken: boolean;
}

const disconnects: Readonly<Record<string, Disconnect>> = {
  'in mid-stream ms': { model: '1000:60000', isStream: true, afterFirstToken: true },
  'before the first byte ms': { model: '3:0:1:60000', isStream: true, afterFirstToken: false },
  'not streamed ms': { model: '3:0:1:60000', isStream: false, afterFirstToken: false },
};

export const disconnect: Check = {
  title: 'Time from a client disconnect to the upstream disconnect',
  description: `Median of ${REPETITIONS}; a dash if it took more than ${TIMEOUT_MS / 1000} s.`,
  run: (options) =>
    measureEach(options, async (contender) => {
      const found: Record<string, number | null> = {};
      for (const [heading, one] of Object.entries(disconnects))
        found[heading] = await medianTime(contender, options.stub, one);
      return found;
    }),
};

/** The first time does not count. After a timeout it is not repeated. */
async function medianTime(
  contender: Contender,
  stub: StubUpstream,
  options: Disconnect,
): Promise<number | null> {
  const times: number[] = [];
  for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
    const ms = await measureOnce(contender, stub, options);
    if (ms === null) return null;
    if (repetition > 0) times.push(ms);
  }
  return median(times);
}

/** Both processes read the same monotonic clock. */
async function measureOnce(
  contender: Contender,
  stub: StubUpstream,
  { model, isStream, afterFirstToken }: Disconnect,
): Promise<number | null> {
  const before = await stub.stats();
  const client = await sendUnread(contender, model, isStream);
  await waitFor('the request to arrive', async () => (await stub.stats()).active > before.active);
  if (afterFirstToken) await once(client, 'data');
  await sleep(20);
  const disconnectedAt = process.hrtime.bigint();
  client.destroy();
  for (const until = performance.now() + TIMEOUT_MS; performance.now() < until; ) {
    const { aborted, lastAbortedNs } = await stub.stats();
    if (aborted > before.aborted) return Number(BigInt(lastAbortedNs) - disconnectedAt) / 1e6;
    await sleep(5);
  }
  return null;
}
