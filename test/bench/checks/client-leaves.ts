import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../harness/wait-for.ts';
import type { Contender } from '../contenders/contender.ts';
import { median } from '../median.ts';
import type { Stub } from '../start-stub.ts';
import { type Check, findEach } from './check.ts';
import { inFreshProcess } from './memory.ts';
import { askRaw } from './raw-client.ts';

const TIMES = 5;
const PATIENCE_MS = 1500;

interface Leaving {
  readonly model: string;
  readonly isStream: boolean;
  /** Its first token comes without delay. */
  readonly speaksAtOnce: boolean;
}

const moments: Readonly<Record<string, Leaving>> = {
  'in mid-stream ms': { model: '1000:60000', isStream: true, speaksAtOnce: true },
  'before the first byte ms': { model: '3:0:1:60000', isStream: true, speaksAtOnce: false },
  'of an answer in one piece ms': { model: '3:0:1:60000', isStream: false, speaksAtOnce: false },
};

export const clientLeaves: Check = {
  title: 'The client closes: until the upstream is closed',
  about: `Median of ${TIMES}; a dash where it was not within ${PATIENCE_MS / 1000} s.`,
  find: ({ stub, contenders: names }) =>
    findEach(names, (name) =>
      inFreshProcess(name, stub, async (contender) => {
        const found: Record<string, number | null> = {};
        for (const [heading, leaving] of Object.entries(moments))
          found[heading] = await timesOf(contender, stub, leaving);
        return found;
      }),
    ),
};

/** The first is not counted. Whoever misses once is not tried again. */
async function timesOf(contender: Contender, stub: Stub, leaving: Leaving): Promise<number | null> {
  const times: number[] = [];
  for (let time = 0; time <= TIMES; time++) {
    const ms = await leave(contender, stub, leaving);
    if (ms === null) return null;
    if (time > 0) times.push(ms);
  }
  return median(times);
}

/** Both clocks are the machine's monotonic one. */
async function leave(
  contender: Contender,
  stub: Stub,
  { model, isStream, speaksAtOnce }: Leaving,
): Promise<number | null> {
  const before = await stub.stats();
  const client = await askRaw(contender, model, isStream);
  await waitFor('the request to arrive', async () => (await stub.stats()).answering > before.answering);
  if (speaksAtOnce) await once(client, 'data');
  await sleep(20);
  const left = process.hrtime.bigint();
  client.destroy();
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; ) {
    const { brokenOff, lastBrokenOffNs } = await stub.stats();
    if (brokenOff > before.brokenOff) return Number(BigInt(lastBrokenOffNs) - left) / 1e6;
    await sleep(5);
  }
  return null;
}
