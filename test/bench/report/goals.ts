import type { CheckName } from '../checks/checks.ts';
import type { ContenderName } from '../contenders/contenders.ts';
import type { LoadName } from '../loads.ts';
import { median, medianRatio } from '../rounds.ts';
import type { BenchResults } from './results.ts';
import {
  type Column,
  cpuPerEvent,
  eventsPerSecond,
  firstEvent,
  formatNumber,
  gap,
  latency,
  markdownTable,
  requestsPerSecond,
} from './tables.ts';

type Ours = 'llama-corral' | 'llama-corral, unix socket';

interface Goal {
  readonly title: string;
  /** A lower bound; an upper bound otherwise. */
  readonly isLowerBound: boolean;
  readonly must: number;
  readonly stretch?: number;
  /** NaN if it was not measured. */
  value(results: BenchResults, ours: Ours): number;
}

/** Each goal with its bounds and what was measured. */
export function goalsTable(results: BenchResults): string {
  const headings = ['', 'must', 'stretch', 'over TCP', '', 'over the unix socket', ''];
  const rows = goals.map((goal) => {
    const cells = (ours: Ours) => {
      const value = goal.value(results, ours);
      return [formatNumber(value), verdict(goal, value)];
    };
    const bound = (value: number | undefined) =>
      value === undefined ? '' : `${goal.isLowerBound ? '≥' : '≤'} ${value}`;
    return [
      goal.title,
      bound(goal.must),
      bound(goal.stretch),
      ...cells('llama-corral'),
      ...cells('llama-corral, unix socket'),
    ];
  });
  return markdownTable(headings, rows);
}

export function verdict(
  { isLowerBound, must, stretch }: Pick<Goal, 'isLowerBound' | 'must' | 'stretch'>,
  value: number,
): 'stretch' | 'met' | 'missed' | '' {
  if (Number.isNaN(value)) return '';
  const meets = (bound: number) => (isLowerBound ? value >= bound : value <= bound);
  if (stretch !== undefined && meets(stretch)) return 'stretch';
  return meets(must) ? 'met' : 'missed';
}

function values(results: BenchResults, load: LoadName, contender: string, { value }: Column): number[] {
  return (results.loads[load]?.results[contender] ?? []).map(value);
}

const ratioTo =
  (load: LoadName, base: ContenderName, column: Column): Goal['value'] =>
  (results, ours) =>
    medianRatio(values(results, load, ours, column), values(results, load, base, column));

/** The difference to the contender without a proxy, round by round. */
function added(results: BenchResults, load: LoadName, contender: string, column: Column): number[] {
  const direct = values(results, load, 'direct', column);
  return values(results, load, contender, column).map(
    (value, round) => value - (direct[round] ?? Number.NaN),
  );
}

const addedMs =
  (load: LoadName, column: Column): Goal['value'] =>
  (results, ours) =>
    median(added(results, load, ours, column));

const finding =
  (check: CheckName, heading: string, row?: string): Goal['value'] =>
  ({ checks }, ours) =>
    checks[check]?.results[row ?? ours]?.[heading] ?? Number.NaN;

const atLeast = (title: string, must: number, stretch: number | undefined, value: Goal['value']): Goal => ({
  ...{ title, isLowerBound: true, must, value },
  ...(stretch !== undefined && { stretch }),
});
const atMost = (title: string, must: number, stretch: number | undefined, value: Goal['value']): Goal => ({
  ...atLeast(title, must, stretch, value),
  isLowerBound: false,
});

export const goals: readonly Goal[] = [
  atLeast(
    'requests/s, 1 KB, 64 connections, × nginx',
    0.35,
    0.5,
    ratioTo('plain-1k', 'nginx', requestsPerSecond),
  ),
  atLeast('the same, × Portkey', 6, 9, ratioTo('plain-1k', 'Portkey', requestsPerSecond)),
  atLeast(
    'the same, × @fastify/http-proxy',
    1.2,
    1.8,
    ratioTo('plain-1k', '@fastify/http-proxy', requestsPerSecond),
  ),
  atLeast('requests/s, 32 KB, × nginx', 0.27, 0.35, ratioTo('plain-32k', 'nginx', requestsPerSecond)),
  atLeast('the same, × Portkey', 6, 7, ratioTo('plain-32k', 'Portkey', requestsPerSecond)),
  atMost("added latency, one connection, p50, × nginx's", 1.7, 1.25, (results, ours) =>
    medianRatio(
      added(results, 'one-connection', ours, latency('p50')),
      added(results, 'one-connection', 'nginx', latency('p50')),
    ),
  ),
  atMost('the same, p99, ms', 0.3, 0.15, addedMs('one-connection', latency('p99'))),
  atMost('added time to first event, p50, ms', 0.15, 0.1, addedMs('first-event', firstEvent('p50'))),
  atMost('the same, p99, ms', 0.6, 0.3, addedMs('first-event', firstEvent('p99'))),
  atLeast(
    'events/s, 64 streams without delay, × nginx',
    0.85,
    1.05,
    ratioTo('streams-64', 'nginx', eventsPerSecond),
  ),
  atLeast(
    '512 streams, a token each 10 ms: delivered, × direct',
    0.99,
    undefined,
    ratioTo('streams-512', 'direct', eventsPerSecond),
  ),
  atMost('the same, gap p99, ms', 22, 16, (results, ours) =>
    median(values(results, 'streams-512', ours, gap)),
  ),
  atMost('CPU per event there, × nginx', 1.8, 1.35, ratioTo('streams-512', 'nginx', cpuPerEvent)),
  atLeast(
    'tokens/s of a real llama-server, ÷ direct, the least of 1 to 64 streams',
    0.99,
    undefined,
    ({ checks }) =>
      minimum(Object.values(checks.engine?.results ?? {}).map((at) => at['÷ direct'] ?? Number.NaN)),
  ),
  atMost('P95 added at 100 requests/s, ms', 1, undefined, addedMs('rate-100', latency('p95'))),
  atMost('memory, idle, MB', 100, 90, finding('memory', 'idle MB')),
  atMost(
    'memory per 1,000 open idle streams, MB',
    65,
    35,
    finding('memory', 'and 1,000 idle streams, MB more'),
  ),
  atMost('memory, peak under all loads, MB', 400, 220, (results, ours) =>
    maximum(
      Object.values(results.loads).flatMap(({ results: found }) =>
        (found[ours] ?? []).map((one) => one.peakMemoryMb),
      ),
    ),
  ),
  atMost(
    'memory after 1,000,000 requests, ÷ after 10,000',
    1.2,
    undefined,
    (results, ours) =>
      finding('memory', 'after 1,000,000 requests MB')(results, ours) /
      finding('memory', 'after 10,000 requests MB')(results, ours),
  ),
  atMost(
    'client closes in mid-stream, until the upstream is closed, ms',
    20,
    5,
    finding('leaving', 'in mid-stream ms'),
  ),
  atMost('the same before the first byte, ms', 20, 5, finding('leaving', 'before the first byte ms')),
  atMost(
    'memory growth with 8 clients that never read 24 MB, MB',
    64,
    35,
    finding('unread', 'memory growth MB'),
  ),
  atMost(
    'log lines, limits, metrics of keys together cost, % of throughput',
    15,
    8,
    (results) =>
      (1 - ratioTo('plain-1k', 'llama-corral, bare', requestsPerSecond)(results, 'llama-corral')) * 100,
  ),
  atMost('supervisor start → 204, ms', 300, 150, finding('boot', 'ms', 'supervisor, until /ping responds')),
  atMost('gateway start → accepting, ms', 400, 200, finding('boot', 'ms', 'gateway, until its port is open')),
];

const minimum = (all: readonly number[]) => (all.length === 0 ? Number.NaN : Math.min(...all));
const maximum = (all: readonly number[]) => (all.length === 0 ? Number.NaN : Math.max(...all));
