import { generateLoad, type Load, type LoadReport, type Span } from '../generate-load.ts';
import { say } from '../progress.ts';
import type { Check, Findings } from './check.ts';
import { inFreshProcess } from './memory.ts';

const TEN_MINUTES = { warmupSeconds: 5, seconds: 600 };
const ONE_MINUTE = { warmupSeconds: 5, seconds: 60 };
const plain = { model: '16:0:64', bodyBytes: 1000 };

interface PlannedLoad {
  readonly load: Load;
  readonly span: Span;
}

/** What the original plans asked for. */
const planned: Readonly<Record<string, PlannedLoad>> = {
  '100 users, streams of 50 tokens, one each 20 ms': {
    load: { model: '50:20', tokens: 50, bodyBytes: 1000, connections: 100 },
    span: ONE_MINUTE,
  },
  '1,000 requests/s offered': { load: { ...plain, rate: 1000, connections: 1000 }, span: ONE_MINUTE },
  '200 requests/s for ten minutes': { load: { ...plain, rate: 200, connections: 1000 }, span: TEN_MINUTES },
  '1,000 streams at 20 tokens/s for ten minutes': {
    load: { model: '400:50', tokens: 400, bodyBytes: 1000, connections: 1000 },
    span: TEN_MINUTES,
  },
};

export const plans: Check = {
  title: 'The load tests of the plans',
  about:
    'Our gateway, its upstream on a unix socket. No answer failed or came short, or there would be no row.',
  async find({ stub }) {
    const found: Record<string, Findings[string]> = {};
    for (const [name, { load, span }] of Object.entries(planned)) {
      say(`${name}: ${span.seconds} s`);
      try {
        const measure = inFreshProcess('llama-corral, unix socket', stub, (contender) =>
          generateLoad(contender, load, span, stub.pid),
        );
        found[name] = figuresOf(await measure);
      } catch (error) {
        say(`${name}: ${(error as Error).message}`);
      }
    }
    return found;
  },
};

function figuresOf(report: LoadReport): Record<string, number | null> {
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
    'at its peak MB': report.peakMemoryMb,
  };
}
