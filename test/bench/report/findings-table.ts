import type { Findings } from '../checks/check.ts';
import { show, table } from './show-table.ts';

/** A column for each thing that was found of any of them. */
export function findingsTable(findings: Findings): string {
  const headings = [...new Set(Object.values(findings).flatMap((found) => Object.keys(found)))];
  const rows = Object.entries(findings).map(([name, found]) => [
    name,
    ...headings.map((heading) => show(found[heading] ?? Number.NaN)),
  ]);
  return table(['', ...headings], rows);
}
