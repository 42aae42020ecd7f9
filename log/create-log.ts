import type { Logger } from 'pino';
import { pino } from 'pino';
import { logfmtStream } from './logfmt.ts';

export type Log = Logger;

export interface LogOptions {
  readonly format: 'text' | 'json' | 'logfmt';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Who speaks: `supervisor`, `gateway`, `llama-server`. Every line carries it as `from`. */
  readonly from: string;
}

/**
 * The log of one process, on stdout. Secrets never come this far (nobody logs headers, bodies or environments);
 * the redaction is the second fence.
 */
export async function createLog({ format, level, from }: LogOptions): Promise<Log> {
  const options = {
    level,
    base: { from },
    redact: { paths: ['secret', 'authorization', 'apiKey', '*.secret', '*.authorization', '*.apiKey'] },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (format === 'json') return pino(options, pino.destination({ dest: 1, sync: true }));
  if (format === 'logfmt') return pino(options, logfmtStream(process.stdout));
  const { prettyStream } = await import('./text.ts');
  return pino(options, prettyStream());
}
