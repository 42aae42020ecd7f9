import type { Logger } from 'pino';
import { pino } from 'pino';

export type Log = Logger;

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Who speaks: `supervisor`, `gateway`, `llama-server`. Every line carries it as `from`. */
  readonly from: string;
  /** Takes each line, in JSON. */
  readonly write: (line: string) => void;
}

/** Secrets never come this far (nobody logs headers, bodies or environments): this is the second fence. */
const secrets = /"(secret|authorization|apiKey)":"(?:[^"\\]|\\.)*"/gi;

export function createLog({ level, from, write }: LogOptions): Log {
  return pino(
    {
      level,
      base: { from },
      formatters: { level: (label: string) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    { write: (line: string) => write(line.replace(secrets, '"$1":"[redacted]"')) },
  );
}
