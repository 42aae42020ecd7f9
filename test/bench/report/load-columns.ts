import type { LoadReport } from '../generate-load.ts';
import type { ComparedLoad } from '../loads.ts';

/** A figure of a load, as tables show it. */
export interface Column {
  readonly heading: string;
  readonly of: (report: LoadReport) => number;
  /** Whether its ratio to nginx is told. */
  readonly isCompared?: boolean;
  /** Whether its least and greatest are told. */
  readonly hasRange?: boolean;
}

const none = Number.NaN;

export const requestsPerSecond: Column = {
  heading: 'requests/s',
  of: (report) => report.requestsPerSecond,
  isCompared: true,
  hasRange: true,
};
export const tokensPerSecond: Column = {
  heading: 'events/s',
  of: (report) => report.eventsPerSecond,
  isCompared: true,
  hasRange: true,
};
export const cpuPerRequest: Column = {
  heading: 'CPU µs/request',
  of: ({ cpuSeconds, requests }) => (cpuSeconds * 1e6) / requests,
  isCompared: true,
};
export const cpuPerEvent: Column = {
  heading: 'CPU µs/event',
  of: ({ cpuSeconds, events }) => (cpuSeconds * 1e6) / events,
  isCompared: true,
};
const peak: Column = { heading: 'memory MB', of: ({ memoryMb }) => memoryMb };
/** Of the core that measures: near 100, what is measured is the measuring. */
const harness: Column = {
  heading: 'harness core %',
  of: ({ upstreamCpuSeconds, ownCpuSeconds, seconds }) =>
    ((upstreamCpuSeconds + ownCpuSeconds) / seconds) * 100,
};
const latency = (part: 'p50' | 'p95' | 'p99'): Column => ({
  heading: `${part} ms`,
  of: ({ latencyMs }) => latencyMs?.[part] ?? none,
});
const firstEvent = (part: 'p50' | 'p99'): Column => ({
  heading: `first event ${part} ms`,
  of: ({ firstEventMs }) => firstEventMs?.[part] ?? none,
});
const gap: Column = { heading: 'gap p99 ms', of: ({ gapMs }) => gapMs?.p99 ?? none };

const plainColumns = [requestsPerSecond, latency('p50'), latency('p99'), cpuPerRequest, harness, peak];
const quietColumns = [latency('p50'), latency('p95'), latency('p99'), cpuPerRequest];
const oneStreamColumns = [firstEvent('p50'), firstEvent('p99'), cpuPerRequest];
const streamColumns = [tokensPerSecond, firstEvent('p50'), gap, cpuPerEvent, harness, peak];

/** What is worth telling of a load. */
export function columnsOf({ tokens = 0, connections, rate = 0 }: ComparedLoad): readonly Column[] {
  if (tokens > 0) return connections === 1 ? oneStreamColumns : streamColumns;
  return rate > 0 || connections === 1 ? quietColumns : plainColumns;
}
