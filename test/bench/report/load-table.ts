import type { LoadReport } from '../generate-load.ts';
import { median, ratio } from '../median.ts';
import type { Column } from './load-columns.ts';
import { show, table } from './show-table.ts';

/** The reports of each contender, round by round. */
export type Measured = Readonly<Record<string, readonly LoadReport[]>>;

/** Medians of the rounds, and the medians of each round's ratio to nginx. */
export function loadTable(columns: readonly Column[], measured: Measured): string {
  const headings = columns.flatMap(({ heading, isCompared }) =>
    isCompared ? [heading, '× nginx'] : [heading],
  );
  const base = measured.nginx ?? [];
  const rows = Object.entries(measured).map(([contender, reports]) => [
    contender,
    ...columns.flatMap((column) => cellsOf(column, reports, base)),
  ]);
  return table(['', ...headings], rows);
}

function cellsOf(
  { of, isCompared, hasRange }: Column,
  its: readonly LoadReport[],
  base: readonly LoadReport[],
): string[] {
  const values = its.map(of);
  const range =
    hasRange && values.length > 1 ? ` (${show(Math.min(...values))}–${show(Math.max(...values))})` : '';
  const value = `${show(median(values))}${range}`;
  return isCompared ? [value, show(ratio(values, base.map(of)), 2)] : [value];
}
