import type { Logger } from 'pino';
import { pino } from 'pino';

export type Log = Logger;

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** The component: `supervisor`, `gateway`, `llama-server`. Every line has it as `from`. */
  readonly from: string;
  /** Receives each line, in JSON. */
  readonly write: (line: string) => void;
}

/** No code logs headers, bodies or environments. This redaction is a second line of defence. */
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
