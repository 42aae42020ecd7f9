export interface Goal {
  readonly text: string;
  isMet(value: number): boolean;
}

/** A measured value. Without a goal it only informs. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit?: string;
  readonly goal?: Goal;
}

export interface Report {
  readonly figures: readonly Figure[];
  /** What went wrong, one line each; the figures count them. */
  readonly problems?: readonly string[];
}

export const exactly = (wanted: number): Goal => ({
  text: format(wanted),
  isMet: (value) => value === wanted,
});
export const atMost = (limit: number): Goal => ({
  text: `≤ ${format(limit)}`,
  isMet: (value) => value <= limit,
});
export const atLeast = (limit: number): Goal => ({
  text: `≥ ${format(limit)}`,
  isMet: (value) => value >= limit,
});
export const between = (low: number, high: number): Goal => ({
  text: `${format(low)}–${format(high)}`,
  isMet: (value) => value >= low && value <= high,
});

export const allMet = ({ figures }: Report): boolean =>
  figures.every(({ value, goal }) => goal === undefined || goal.isMet(value));

/** A table of the figures, then the first problems. */
export function formatReport({ figures, problems = [] }: Report): string {
  const rows = figures.map(({ name, value, unit = '', goal }) => [
    name,
    `${format(value)} ${unit}`.trim(),
    goal ? `${goal.text} ${unit}`.trim() : '',
    goal ? (goal.isMet(value) ? 'met' : 'MISSED') : '',
  ]);
  const table = [['figure', 'value', 'goal', ''], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...problems.slice(0, 20).map((problem) => `problem: ${problem}`)].join('\n');
}

function format(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 3 : 1)));
}
