/**
 * What a burst of twenty times the capacity does to the running product, with a real llama-server: `npm run overload`
 * measures the capacity, offers twenty times as much for ten seconds, and draws docs/overload.svg.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'undici';
import { projectFolder } from '../../scripts/project-folders.ts';
import { freePort } from '../harness/free-port.ts';
import { chart } from './chart.ts';
import { startProduct } from './start-product.ts';
import { ask, Tally } from './tally.ts';

const BURST_FROM = 3;
const BURST_UNTIL = 13;
const END = 20;
const TIMES_CAPACITY = 20;
const SAMPLE_EVERY = 100;

const port = await freePort();
await using product = await startProduct(port, await freePort());
const dispatcher = new Agent({ connections: null, keepAliveTimeout: 10_000 });
const send = () => ask(product, dispatcher);

const capacity = await measureCapacity();
console.log(
  `capacity: ${capacity.toFixed(1)} requests/s; offering ${(TIMES_CAPACITY * capacity).toFixed(0)}/s`,
);

const tally = new Tally();
const started = performance.now();
const seconds: number[] = [];
const samples: { waiting: number; busy: number; served: number; refused: number }[] = [];
const under = new Set<Promise<void>>();
let offered = 0;

for (let moment = 1; moment * SAMPLE_EVERY <= END * 1000; moment++) {
  await until(started + moment * SAMPLE_EVERY);
  offer((performance.now() - started) / 1000);
  const { queue, slots } = await health();
  seconds.push((performance.now() - started) / 1000);
  samples.push({ waiting: queue.waiting, busy: slots.busy, ...tally.takeSinceLast() });
}
await Promise.all(under);
await dispatcher.close();
report();

/** Sends as many as are due by now: the offer does not wait for answers. */
function offer(second: number): void {
  const inBurst = Math.min(second, BURST_UNTIL) - Math.min(second, BURST_FROM);
  const due = capacity * 0.5 * second + TIMES_CAPACITY * capacity * inBurst;
  for (; offered < due; offered++) {
    const one = send().then((answer) => tally.add(answer));
    under.add(one);
    void one.finally(() => under.delete(one));
  }
}

async function measureCapacity(): Promise<number> {
  const from = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (performance.now() - from < 4000) {
        await send();
        done += 1;
      }
    }),
  );
  return (done * 1000) / (performance.now() - from);
}

async function health(): Promise<{ queue: { waiting: number }; slots: { busy: number } }> {
  const answer = await fetch(`http://127.0.0.1:${port}/health`);
  return (await answer.json()) as Awaited<ReturnType<typeof health>>;
}

function until(time: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, Math.max(0, time - performance.now()));
  return promise;
}

function report(): void {
  const perSecond = (values: readonly number[]) => values.map((value) => (value * 1000) / SAMPLE_EVERY);
  const svg = chart(
    `${TIMES_CAPACITY} times the capacity (${capacity.toFixed(0)} requests/s) from second ${BURST_FROM} to ${BURST_UNTIL}`,
    seconds,
    [
      {
        title: 'waiting',
        series: [{ name: 'in line', colour: '#b26b00', values: samples.map(({ waiting }) => waiting) }],
      },
      {
        title: 'slots',
        series: [{ name: 'busy', colour: '#1f6fb2', values: samples.map(({ busy }) => busy) }],
      },
      {
        title: 'served/s',
        series: [
          { name: '200', colour: '#2a7d2a', values: smooth(perSecond(samples.map(({ served }) => served))) },
        ],
      },
      {
        title: 'refused/s',
        series: [
          { name: '503', colour: '#b22222', values: perSecond(samples.map(({ refused }) => refused)) },
        ],
      },
    ],
  );
  writeFileSync(join(projectFolder, 'docs/overload.svg'), svg);
  const during = samples.filter((_, n) => (seconds[n] ?? 0) > BURST_FROM && (seconds[n] ?? 0) <= BURST_UNTIL);
  const served = during.reduce((sum, sample) => sum + sample.served, 0) / (BURST_UNTIL - BURST_FROM);
  console.log(
    `served during the burst: ${served.toFixed(1)}/s = ${((served / capacity) * 100).toFixed(0)} % of the capacity`,
  );
  console.log(tally.summary());
}

/** Over a second, as single answers come in fours. */
function smooth(values: readonly number[]): number[] {
  return values.map((_, index) => {
    const window = values.slice(Math.max(0, index - 9), index + 1);
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  });
}
