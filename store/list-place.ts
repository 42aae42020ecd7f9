import type { Database } from './database.ts';

/** Lists in the order of creation: their rows are numbered by `n`. */
type List = 'files' | 'batches';

/** SQL for the number of a new row: higher than all whose place is known, so that none is listed where another was. */
export const nextNumber = (list: List) =>
  `(SELECT 1 + max(coalesce((SELECT max(n) FROM ${list}), 0), coalesce((SELECT max(n) FROM gone), 0)))`;

/** The place of a row, even if it is gone. Undefined for what the owner never had, or that has been gone for long. */
export function findPlace(db: Database, list: List, owner: string, id: string): number | undefined {
  const row = db.get(
    `SELECT n FROM ${list} WHERE id = ? AND owner = ? UNION ALL SELECT n FROM gone WHERE id = ? AND owner = ?`,
    ...[id, owner, id, owner],
  );
  return row && Number(row.n);
}

/** The condition of SQL for the rows behind a place, and its parameters; all rows if no place is given. */
export const behind = (place: number | undefined, order: 'asc' | 'desc') =>
  place === undefined ? (['true', []] as const) : ([`n ${order === 'asc' ? '>' : '<'} ?`, [place]] as const);
