import { setTimeout as sleep } from 'node:timers/promises';
import { generateLoad } from '../generate-load.ts';
import { comparedLoads } from '../loads.ts';
import { memoryMbOf } from '../process-memory.ts';
import { type Check, findEach } from './check.ts';
import { inFreshProcess } from './memory.ts';
import { askRaw } from './raw-client.ts';

const CLIENTS = 8;
/** 24 MB. */
const hugeStream = '100000:0:8';

export const unreadStreams: Check = {
  title: `${CLIENTS} clients that never read a stream of 24 MB`,
  find: ({ stub, contenders: names }) =>
    findEach(names, (name) =>
      inFreshProcess(name, stub, async (contender) => {
        const warmUp = { warmupSeconds: 1, seconds: 0.5 };
        await generateLoad(contender, comparedLoads['streams-64'], warmUp, stub.pid);
        const before = memoryMbOf(contender.pid);
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, () => askRaw(contender, hugeStream)),
        );
        await sleep(3000);
        const growth = memoryMbOf(contender.pid) - before;
        for (const client of clients) client.destroy();
        return { 'memory growth MB': growth };
      }),
    ),
};
