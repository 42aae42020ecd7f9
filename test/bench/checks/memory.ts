import { setTimeout as sleep } from 'node:timers/promises';
import { residentMegabytes } from '../../harness/process-usage.ts';
import { type ContenderName, contenders } from '../contenders/contenders.ts';
import type { RunningContender } from '../contenders/start-contender.ts';
import { generateLoad } from '../load-generator.ts';
import { comparedLoads } from '../loads.ts';
import type { StubUpstream } from '../stub-upstream.ts';
import { type Check, inFreshProcess, measureEach, type Row, sendUnread } from './check.ts';

/** Until the thread of the ledger has ended and V8 has given back what the start took. */
const IDLE_SECONDS = 15;
/** One token at once, the next in ten minutes. */
const idleStreams = { model: '2:600000', tokens: 2, bodyBytes: 400, connections: 1000 };
/** Short responses, because a million of them takes long enough. */
const plain = { model: '16:0:64', maxTokens: 16, bodyBytes: 1000, connections: 64 };

export const memory: Check = {
  title: 'Memory, each in a fresh process',
  async run({ contenders: names, stub, isLong }) {
    await using stack = new AsyncDisposableStack();
    const idle = new Map<ContenderName, RunningContender>();
    for (const name of names) idle.set(name, stack.use(await contenders[name](stub)));
    // For all of them at once: it takes longer than the rest.
    await sleep(IDLE_SECONDS * 1000);
    const found: Record<string, Row> = {};
    for (const [name, contender] of idle) {
      const idleMb = residentMegabytes(contender.pid);
      const duration = { warmupSeconds: 2, seconds: 1 };
      const { memoryMb } = await generateLoad(contender, idleStreams, duration, stub.pid);
      found[name] = {
        'idle MB': idleMb,
        'and 1,000 idle streams, MB more': memoryMb - idleMb,
        ...(name.startsWith('llama-corral') &&
          (await inFreshProcess(name, stub, (fresh) => memoryUnderLoad(fresh, stub, isLong)))),
      };
    }
    return found;
  },
};

async function memoryUnderLoad(
  contender: RunningContender,
  stub: StubUpstream,
  isLong: boolean,
): Promise<Row> {
  const after = async (requests: number) => {
    const untilDone = { warmupSeconds: 0, seconds: 3600, requests };
    return (await generateLoad(contender, plain, untilDone, stub.pid)).memoryMb;
  };
  const tenThousand = await after(10_000);
  return {
    'after 10,000 requests MB': tenThousand,
    ...(isLong && { 'after 1,000,000 requests MB': await after(990_000) }),
  };
}

const UNREAD_STREAMS = 8;
/** 24 MB. */
const hugeStream = '100000:0:8';

export const unreadStreams: Check = {
  title: `${UNREAD_STREAMS} clients that never read a stream of 24 MB`,
  run: (options) =>
    measureEach(options, async (contender) => {
      const warmup = { warmupSeconds: 1, seconds: 0.5 };
      await generateLoad(contender, comparedLoads['streams-64'], warmup, options.stub.pid);
      const before = residentMegabytes(contender.pid);
      const clients = await Promise.all(
        Array.from({ length: UNREAD_STREAMS }, () => sendUnread(contender, hugeStream)),
      );
      await sleep(3000);
      const growth = residentMegabytes(contender.pid) - before;
      for (const client of clients) client.destroy();
      return { 'memory growth MB': growth };
    }),
};
