import { printable } from '../../log/printable.ts';
import { formatCount, formatSeconds } from '../format-values.ts';
import { writeStderr } from '../output.ts';
import { ExitStatus } from '../run-command.ts';
import { type Batch, endedAt, statusText } from './batch-object.ts';
import { countsOf } from './batch-progress.ts';

/** The batch has completed, and lines of it have failed. */
const LINES_FAILED = 3;
/** It has failed, expired or been cancelled. */
const NOT_COMPLETED = 4;

const SHOWN_ERRORS = 5;

/** Reports how a batch has ended; throws the exit status if not all lines succeeded. */
export function reportEnd(batch: Batch): void {
  for (const line of errorLines(batch)) writeStderr(line);
  const { failed } = countsOf(batch);
  if (batch.status !== 'completed') throw new ExitStatus(NOT_COMPLETED, summary(batch));
  if (failed > 0)
    throw new ExitStatus(
      LINES_FAILED,
      `${summary(batch)}; see them with: corral batch results ${batch.id} --errors`,
    );
  writeStderr(summary(batch));
}

/** `completed: 998 of 1,000 lines succeeded, 2 failed; 12,345 output tokens in 2m 10s`. */
function summary(batch: Batch): string {
  const { total, completed, failed } = countsOf(batch);
  const end = endedAt(batch);
  const tokens = `${formatCount(batch.usage?.output_tokens ?? 0)} output tokens`;
  const time = end === undefined ? '' : ` in ${formatSeconds(end - batch.created_at)}`;
  return `${statusText(batch)}: ${formatCount(completed)} of ${formatCount(total)} lines succeeded, ${formatCount(failed)} failed; ${tokens}${time}`;
}

/** The first mistakes that made a batch fail. */
export function errorLines({ errors }: Batch): string[] {
  const all = errors?.data ?? [];
  const shown = all
    .slice(0, SHOWN_ERRORS)
    .map(({ line, message }) => printable(line == null ? message : `line ${line}: ${message}`));
  return all.length > SHOWN_ERRORS ? [...shown, `and ${all.length - SHOWN_ERRORS} more`] : shown;
}
