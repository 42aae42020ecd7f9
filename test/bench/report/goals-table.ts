import type { Figures } from './figures.ts';
import { type Goal, goals } from './goals.ts';
import { show, table } from './show-table.ts';

const headings = ['', 'must', 'stretch', 'over TCP', '', 'over the unix socket', ''];

/** Each goal, and how far we are. */
export function goalsTable(figures: Figures): string {
  const rows = goals.map((goal) => [
    goal.figure,
    bound(goal, goal.must),
    bound(goal, goal.stretch),
    ...measured(goal, goal.of(figures, 'llama-corral')),
    ...measured(goal, goal.of(figures, 'llama-corral, unix socket')),
  ]);
  return table(headings, rows);
}

function bound({ isLeast }: Goal, value: number | undefined): string {
  return value === undefined ? '' : `${isLeast ? '≥' : '≤'} ${value}`;
}

function measured(goal: Goal, value: number): [string, string] {
  return [show(value), verdict(goal, value)];
}

/** Which of its bounds a value meets. */
export function verdict({ isLeast, must, stretch }: Goal, value: number): 'stretch' | 'met' | 'missed' | '' {
  if (Number.isNaN(value)) return '';
  const meets = (wanted: number) => (isLeast ? value >= wanted : value <= wanted);
  if (stretch !== undefined && meets(stretch)) return 'stretch';
  return meets(must) ? 'met' : 'missed';
}
