import type { ContenderName } from '../contenders/contenders.ts';
import type { LoadReport } from '../generate-load.ts';
import type { LoadName } from '../loads.ts';
import { median, ratio } from '../median.ts';
import type { Figures } from './figures.ts';
import { cpuPerEvent, requestsPerSecond, tokensPerSecond } from './load-columns.ts';

export type Ours = 'llama-corral' | 'llama-corral, unix socket';

export interface Goal {
  readonly figure: string;
  /** Whether it is to be at least so much; at most otherwise. */
  readonly isLeast: boolean;
  readonly must: number;
  readonly stretch?: number;
  /** NaN where it was not measured. */
  of(figures: Figures, ours: Ours): number;
}

type Of = (report: LoadReport) => number;

const latency =
  (part: 'p50' | 'p95' | 'p99'): Of =>
  ({ latencyMs }) =>
    latencyMs?.[part] ?? Number.NaN;
const firstEvent =
  (part: 'p50' | 'p99'): Of =>
  ({ firstEventMs }) =>
    firstEventMs?.[part] ?? Number.NaN;

function values(figures: Figures, load: LoadName, contender: string, of: Of): number[] {
  return (figures.loads[load]?.what[contender] ?? []).map(of);
}

const times =
  (load: LoadName, peer: ContenderName, of: Of): Goal['of'] =>
  (figures, ours) =>
    ratio(values(figures, load, ours, of), values(figures, load, peer, of));

/** What it takes longer than without any proxy, round by round. */
function added(figures: Figures, load: LoadName, contender: string, of: Of): number[] {
  const direct = values(figures, load, 'direct', of);
  return values(figures, load, contender, of).map((value, round) => value - (direct[round] ?? Number.NaN));
}

const addedMs =
  (load: LoadName, of: Of): Goal['of'] =>
  (figures, ours) =>
    median(added(figures, load, ours, of));

const found =
  (check: string, heading: string): Goal['of'] =>
  (figures, ours) =>
    figures.checks[check]?.what[ours]?.[heading] ?? Number.NaN;

const boot =
  (name: string): Goal['of'] =>
  (figures) =>
    figures.checks.boot?.what[name]?.ms ?? Number.NaN;

const atLeast = (figure: string, must: number, stretch: number | undefined, of: Goal['of']): Goal => ({
  ...{ figure, isLeast: true, must, of },
  ...(stretch !== undefined && { stretch }),
});
const atMost = (figure: string, must: number, stretch: number | undefined, of: Goal['of']): Goal => ({
  ...atLeast(figure, must, stretch, of),
  isLeast: false,
});

const perSecond = requestsPerSecond.of;

export const goals: readonly Goal[] = [
  atLeast('requests/s, 1 KB, 64 connections, × nginx', 0.35, 0.5, times('plain-1k', 'nginx', perSecond)),
  atLeast('the same, × Portkey', 6, 9, times('plain-1k', 'Portkey', perSecond)),
  atLeast('the same, × @fastify/http-proxy', 1.2, 1.8, times('plain-1k', '@fastify/http-proxy', perSecond)),
  atLeast('requests/s, 32 KB, × nginx', 0.27, 0.35, times('plain-32k', 'nginx', perSecond)),
  atLeast('the same, × Portkey', 6, 7, times('plain-32k', 'Portkey', perSecond)),
  atMost("added latency, one connection, p50, × nginx's", 1.7, 1.25, (figures, ours) =>
    ratio(
      added(figures, 'one-connection', ours, latency('p50')),
      added(figures, 'one-connection', 'nginx', latency('p50')),
    ),
  ),
  atMost('the same, p99, ms', 0.3, 0.15, addedMs('one-connection', latency('p99'))),
  atMost('added time to first event, p50, ms', 0.15, 0.1, addedMs('first-event', firstEvent('p50'))),
  atMost('the same, p99, ms', 0.6, 0.3, addedMs('first-event', firstEvent('p99'))),
  atLeast(
    'events/s, 64 streams without delay, × nginx',
    0.85,
    1.05,
    times('streams-64', 'nginx', tokensPerSecond.of),
  ),
  atLeast(
    '512 streams, a token each 10 ms: delivered, × direct',
    0.99,
    undefined,
    times('streams-512', 'direct', tokensPerSecond.of),
  ),
  atMost('the same, gap p99, ms', 22, 16, (figures, ours) =>
    median(values(figures, 'streams-512', ours, ({ gapMs }) => gapMs?.p99 ?? Number.NaN)),
  ),
  atMost('CPU per event there, × nginx', 1.8, 1.35, times('streams-512', 'nginx', cpuPerEvent.of)),
  atLeast(
    'tokens/s of a real llama-server, ÷ direct, the least of 1 to 64 streams',
    0.99,
    undefined,
    (figures) =>
      least(Object.values(figures.checks.engine?.what ?? {}).map((at) => at['÷ direct'] ?? Number.NaN)),
  ),
  atMost('P95 added at 100 requests/s, ms', 1, undefined, addedMs('rate-100', latency('p95'))),
  atMost('memory, idle, MB', 100, 90, found('memory', 'idle MB')),
  atMost(
    'memory per 1,000 open idle streams, MB',
    65,
    35,
    found('memory', 'and 1,000 idle streams, MB more'),
  ),
  atMost('memory, peak under all loads, MB', 400, 220, (figures, ours) =>
    most(
      Object.values(figures.loads).flatMap(({ what }) => (what[ours] ?? []).map((one) => one.peakMemoryMb)),
    ),
  ),
  atMost(
    'memory after 1,000,000 requests, ÷ after 10,000',
    1.2,
    undefined,
    (figures, ours) =>
      found('memory', 'after 1,000,000 requests MB')(figures, ours) /
      found('memory', 'after 10,000 requests MB')(figures, ours),
  ),
  atMost(
    'client closes in mid-stream, until the upstream is closed, ms',
    20,
    5,
    found('leaving', 'in mid-stream ms'),
  ),
  atMost('the same before the first byte, ms', 20, 5, found('leaving', 'before the first byte ms')),
  atMost(
    'memory growth with 8 clients that never read 24 MB, MB',
    64,
    35,
    found('unread', 'memory growth MB'),
  ),
  atMost(
    'log lines, limits, figures of keys together cost, % of throughput',
    15,
    8,
    (figures) => (1 - times('plain-1k', 'llama-corral, bare', perSecond)(figures, 'llama-corral')) * 100,
  ),
  atMost('supervisor start → 204, ms', 300, 150, boot('supervisor, until it answers 204')),
  atMost('gateway start → accepting, ms', 400, 200, boot('gateway, until its port is open')),
];

const least = (all: readonly number[]) => (all.length === 0 ? Number.NaN : Math.min(...all));
const most = (all: readonly number[]) => (all.length === 0 ? Number.NaN : Math.max(...all));
