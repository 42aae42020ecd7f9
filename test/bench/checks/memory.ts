import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningContender } from '../contenders/contender.ts';
import { type ContenderName, contenders } from '../contenders/contenders.ts';
import { generateLoad } from '../generate-load.ts';
import { memoryMbOf } from '../process-memory.ts';
import { type Check, type CheckWishes, findEach } from './check.ts';

/** One token at once, the next in ten minutes. */
const idleStream = { model: '2:600000', tokens: 2, bodyBytes: 400 };
/** Short answers, or a million of them would take most of an hour. */
const plain = { model: '16:0:64', mostTokens: 16, bodyBytes: 1000, connections: 64 };

export const memory: Check = {
  title: 'Memory, each in a fresh process',
  find: ({ stub, contenders: names, isLong }) =>
    findEach(names, async (name) => {
      const idle = await inFreshProcess(name, stub, async (contender) => {
        await sleep(1000);
        const before = memoryMbOf(contender.pid);
        const span = { warmupSeconds: 2, seconds: 1 };
        const { memoryMb } = await generateLoad(
          contender,
          { ...idleStream, connections: 1000 },
          span,
          stub.pid,
        );
        return { 'idle MB': before, 'and 1,000 idle streams, MB more': memoryMb - before };
      });
      if (!name.startsWith('llama-corral')) return idle;
      const served = await inFreshProcess(name, stub, async (contender) => {
        const after = async (requests: number) => {
          const span = { warmupSeconds: 0, seconds: 3600, requests };
          return (await generateLoad(contender, plain, span, stub.pid)).memoryMb;
        };
        const tenThousand = await after(10_000);
        return {
          'after 10,000 requests MB': tenThousand,
          ...(isLong && { 'after 1,000,000 requests MB': await after(990_000) }),
        };
      });
      return { ...idle, ...served };
    }),
};

/** What one contender, started for this alone, is measured at. */
export async function inFreshProcess<T>(
  name: ContenderName,
  stub: CheckWishes['stub'],
  measure: (contender: RunningContender) => Promise<T>,
): Promise<T> {
  await using contender = await contenders[name](stub);
  return await measure(contender);
}
