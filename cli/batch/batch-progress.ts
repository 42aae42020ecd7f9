import { printable } from '../../log/printable.ts';
import { formatCount, formatMoney, formatSeconds } from '../format-values.ts';
import { progressBar } from '../terminal-line.ts';
import { type Batch, endedAt, statusText } from './batch-object.ts';

interface Sample {
  /** ms */
  readonly at: number;
  readonly ended: number;
  readonly tokens: number;
}

/** How fast a batch is, over this time, ms. */
const WINDOW = 60_000;

/** What is shown of a batch that is waited for. */
export class BatchProgress {
  readonly #costPerHour: number | undefined;
  #samples: Sample[] = [];
  #batch: Batch | undefined;

  /** Without a price no cost is shown. */
  constructor(costPerHour?: number) {
    this.#costPerHour = costPerHour;
  }

  add(batch: Batch, at: number): void {
    this.#batch = batch;
    const { ended } = countsOf(batch);
    const sample = { at, ended, tokens: batch.usage?.output_tokens ?? 0 };
    this.#samples = [...this.#samples.filter((old) => old.at > at - WINDOW), sample];
  }

  /** For a terminal. `now` is in ms since 1970. */
  line(now: number): string {
    const batch = this.#batch;
    if (batch === undefined) return '';
    const { total, ended, failed } = countsOf(batch);
    if (batch.status === 'validating') return `validating  ${formatCount(total)} lines`;
    const share = total === 0 ? 0 : ended / total;
    const parts = [
      `${progressBar(share)} ${Math.floor(share * 100)}%`,
      `${formatCount(ended)} of ${formatCount(total)}${failed === 0 ? '' : `, ${formatCount(failed)} failed`}`,
      ...this.#rates(total - ended),
      ...this.#cost(batch, now),
    ];
    if (batch.status !== 'in_progress') parts.unshift(statusText(batch));
    return [...parts, ...(batch.reason ? [`paused: ${printable(batch.reason)}`] : [])].join('  ');
  }

  #rates(left: number): string[] {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at === first.at) return [];
    const seconds = (last.at - first.at) / 1000;
    const lines = (last.ended - first.ended) / seconds;
    const tokens = (last.tokens - first.tokens) / seconds;
    return [
      `${formatCount(Math.round(tokens))} tokens/s`,
      ...(lines > 0 && left > 0 ? [`${formatLeft(Math.ceil(left / lines))} left`] : []),
    ];
  }

  #cost(batch: Batch, now: number): string[] {
    const cost = costOf(batch, this.#costPerHour, now);
    return cost === undefined ? [] : [`cost ≤ ${formatMoney(cost)}`];
  }
}

const formatLeft = (seconds: number) => (seconds < 60 ? `${seconds}s` : formatSeconds(seconds));

/** Lines; `ended` are those with a result of either kind. */
export function countsOf({ request_counts: { total, completed, failed } }: Batch) {
  return { total, completed, failed, ended: completed + failed };
}

/** The cost of the machine while the batch ran. Other requests have a share in it: the batch costs at most this. */
export function costOf(batch: Batch, costPerHour: number | undefined, now: number): number | undefined {
  if (costPerHour === undefined || batch.in_progress_at == null) return undefined;
  const until = endedAt(batch) ?? now / 1000;
  return (Math.max(0, until - batch.in_progress_at) / 3600) * costPerHour;
}

/** `in progress: 120 of 1,000 done, 2 failed`, where there is no terminal. */
export function plainLine(batch: Batch): string {
  const { total, ended, failed } = countsOf(batch);
  const counts = total === 0 ? '' : `: ${formatCount(ended)} of ${formatCount(total)} done`;
  const faults = failed === 0 ? '' : `, ${formatCount(failed)} failed`;
  return `${statusText(batch)}${counts}${faults}${batch.reason ? `; paused: ${printable(batch.reason)}` : ''}`;
}

/** Changes with what is worth a line of its own: the status, the reason of a pause, each tenth of the lines. */
export function changeMark(batch: Batch): string {
  const { total, ended } = countsOf(batch);
  const tenth = batch.status === 'validating' || total === 0 ? 0 : Math.floor((10 * ended) / total);
  return JSON.stringify([batch.status, batch.reason ?? null, tenth]);
}
