import { median } from '../rounds.ts';
import { type Goal, goals, type Ours } from './goals.ts';
import type { BenchResults } from './results.ts';
import { formatWithRange, markdownTable } from './tables.ts';

/** Each goal with its bounds and what was measured: the median, with the least and the most of the rounds. */
export function goalsTable(results: BenchResults): string {
  const headings = ['', 'must', 'stretch', 'over TCP', '', 'over the unix socket', ''];
  const rows = goals.map((goal) => {
    const cells = (ours: Ours) => {
      const found = goal.measured(results, ours).filter((value) => !Number.isNaN(value));
      return [formatWithRange(found), verdict(goal, median(found))];
    };
    const bound = (value: number | undefined) =>
      value === undefined ? '' : `${goal.isLowerBound ? '≥' : '≤'} ${formatBound(value)}`;
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

const formatBound = (value: number) => value.toLocaleString('en-US');

export function verdict(
  { isLowerBound, must, stretch }: Pick<Goal, 'isLowerBound' | 'must' | 'stretch'>,
  value: number,
): 'stretch' | 'met' | 'missed' | '' {
  if (Number.isNaN(value)) return '';
  const meets = (bound: number) => (isLowerBound ? value >= bound : value <= bound);
  if (stretch !== undefined && meets(stretch)) return 'stretch';
  return meets(must) ? 'met' : 'missed';
}
