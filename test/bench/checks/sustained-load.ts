import { type Duration, generateLoad, type Load, type LoadReport } from '../load-generator.ts';
import { logProgress } from '../rounds.ts';
import { type Check, inFreshProcess, type Row } from './check.ts';

const TEN_MINUTES = { warmupSeconds: 5, seconds: 600 };
const ONE_MINUTE = { warmupSeconds: 5, seconds: 60 };
const plain = { model: '16:0:64', bodyBytes: 1000 };

const loads: Readonly<Record<string, { readonly load: Load; readonly duration: Duration }>> = {
  '100 users, streams of 50 tokens, one each 20 ms': {
    load: { model: '50:20', tokens: 50, bodyBytes: 1000, connections: 100 },
    duration: ONE_MINUTE,
  },
  '1,000 requests/s offered': { load: { ...plain, rate: 1000, connections: 1000 }, duration: ONE_MINUTE },
  '200 requests/s for ten minutes': {
    load: { ...plain, rate: 200, connections: 1000 },
    duration: TEN_MINUTES,
  },
  '1,000 streams at 20 tokens/s for ten minutes': {
    load: { model: '400:50', tokens: 400, bodyBytes: 1000, connections: 1000 },
    duration: TEN_MINUTES,
  },
};

export const sustainedLoad: Check = {
  title: 'Sustained load',
  description:
    'llama-corral with its upstream on a unix socket. A load with a failed or incomplete response has no row.',
  async run({ stub }) {
    const found: Record<string, Row> = {};
    for (const [name, { load, duration }] of Object.entries(loads)) {
      logProgress(`${name}: ${duration.seconds} s`);
      try {
        const report = await inFreshProcess('llama-corral, unix socket', stub, (contender) =>
          generateLoad(contender, load, duration, stub.pid),
        );
        found[name] = rowOf(report);
      } catch (error) {
        logProgress(`${name}: ${(error as Error).message}`);
      }
    }
    return found;
  },
};

function rowOf(report: LoadReport): Row {
  const { requestsPerSecond, eventsPerSecond, latencyMs, firstEventMs, gapMs } = report;
  return {
    'requests/s': requestsPerSecond,
    'events/s': eventsPerSecond || null,
    'latency p95 ms': firstEventMs ? null : (latencyMs?.p95 ?? null),
    'latency p99 ms': firstEventMs ? null : (latencyMs?.p99 ?? null),
    'first event p95 ms': firstEventMs?.p95 ?? null,
    'gap p99 ms': gapMs?.p99 ?? null,
    'CPU %': (report.cpuSeconds / report.seconds) * 100,
    'memory at the end MB': report.memoryMb,
    'peak MB': report.peakMemoryMb,
  };
}
