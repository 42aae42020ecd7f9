import { type Logger, pino } from 'pino';
import { printableJson } from './printable.ts';

export type Log = Logger;
/** All that is needed of a log for warnings. */
export interface WarningLog {
  warn(message: string): void;
}
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Receives each line as printable JSON, without a line end. */
export type WriteLine = (line: string, level: string) => void;

export interface LogOptions {
  /** The lowest level that is logged. */
  readonly level: LogLevel;
  /** The component: `supervisor`, `gateway`, `llama-server`. Every line has it as `from`. */
  readonly from: string;
  readonly write: WriteLine;
}

export function createLog({ level, from, write }: LogOptions): Log {
  const { labels } = pino.levels;
  const destination = {
    // With this, pino sets `lastLevel` before it writes a line.
    [pino.symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string) {
      write(secure(line.slice(0, -'\n'.length)), labels[destination.lastLevel] ?? level);
    },
  };
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ level, base: { from }, formatters, timestamp: timeField }, destination);
}

/** The line without secrets and unsafe characters. The tests come first, as hardly any line has them. */
function secure(line: string): string {
  const redacted = anySecret.test(line) ? line.replace(secrets, '"$1":"[redacted]"') : line;
  return isPrintable(redacted) ? redacted : printableJson(redacted);
}

/** No code logs headers, bodies or environments. This redaction is a second line of defence. */
const secrets = /"(secret|authorization|apiKey)":"(?:[^"\\]|\\.)*"/gi;
const anySecret = /"(?:secret|authorization|apiKey)":"/i;

/** ASCII without DEL: pino escapes the other control characters. Faster than a regular expression. */
const isPrintable = (line: string) => Buffer.byteLength(line) === line.length && !line.includes('\u007f');

/** ISO 8601 in UTC. The text of the current second is kept, as most lines share it with the line before. */
function timeField(): string {
  const now = Date.now();
  const ms = now % 1000;
  if (now - ms !== second.start) {
    const start = now - ms;
    second = { start, text: new Date(start).toISOString().slice(0, -'000Z'.length) };
  }
  return `,"time":"${second.text}${String(ms).padStart(3, '0')}Z"`;
}

let second = { start: 0, text: '1970-01-01T00:00:00.' };
