import type { ContenderName } from '../contenders/contenders.ts';
import type { Stub } from '../start-stub.ts';

/** What was found of each contender, by the heading of its column; null where it never came. */
export type Findings = Readonly<Record<string, Readonly<Record<string, number | null>>>>;

export interface CheckWishes {
  readonly stub: Stub;
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  /** Takes the minutes that some findings need. */
  readonly isLong: boolean;
}

/** Something that no load shows. */
export interface Check {
  readonly title: string;
  /** What it needs a word on. */
  readonly about?: string;
  find(wishes: CheckWishes): Promise<Findings>;
}

/** One contender after the other. */
export async function findEach(
  names: readonly ContenderName[],
  find: (name: ContenderName) => Promise<Findings[string]>,
): Promise<Findings> {
  const found: Record<string, Findings[string]> = {};
  for (const name of names) found[name] = await find(name);
  return found;
}
