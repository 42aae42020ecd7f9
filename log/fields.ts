/** A line of the log, read back: who speaks, how important it is, when, the words, and what else is known. */
export interface Fields {
  readonly level: string;
  readonly time: string;
  readonly from: string;
  readonly msg?: string;
  readonly [name: string]: unknown;
}

/** Undefined for what is no line of a log of ours. */
export function readFields(line: string): Fields | undefined {
  if (!line.startsWith('{"level":"')) return undefined;
  try {
    const fields = JSON.parse(line) as Fields;
    return typeof fields.time === 'string' && typeof fields.from === 'string' ? fields : undefined;
  } catch {
    return undefined;
  }
}
