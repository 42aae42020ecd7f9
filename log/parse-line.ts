/** A line of the log, read back: who speaks, how important it is, when, the words, and what else is known. */
export interface LogFields {
  readonly level: string;
  readonly time: string;
  readonly from: string;
  readonly msg?: string;
  readonly [name: string]: unknown;
}

/** Undefined for what is no line of a log of ours. */
export function parseLogLine(line: string): LogFields | undefined {
  if (!line.startsWith('{"level":"')) return undefined;
  try {
    const fields = JSON.parse(line) as LogFields;
    return typeof fields.time === 'string' && typeof fields.from === 'string' ? fields : undefined;
  } catch {
    return undefined;
  }
}
