import { printableJson } from './printable.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

/** Logs a message, after fields if there are any. A field that is undefined is left out. */
interface LogMethod {
  (message: string): void;
  (fields: object, message: string): void;
}

/** The log of one component. */
export interface Log extends Readonly<Record<LogLevel, LogMethod>> {
  /** A log whose lines all have these fields. */
  child(fields: object): Log;
  isLevelEnabled(level: LogLevel): boolean;
}

/** Receives each line as printable JSON, without a line end. */
export type WriteLine = (line: string, level: LogLevel) => void;

export interface LogOptions {
  /** The lowest level that is logged. */
  readonly level: LogLevel;
  /** The component: `supervisor`, `gateway`, `llama-server`. Every line has it as `from`. */
  readonly from: string;
  readonly write: WriteLine;
}

export function createLog({ level: lowest, from, write }: LogOptions): Log {
  const isLevelEnabled = (level: LogLevel) => levels.indexOf(level) >= levels.indexOf(lowest);

  function createWithContext(context: string): Log {
    const createMethod = (level: LogLevel): LogMethod => {
      if (!isLevelEnabled(level)) return () => {};
      return (first: object | string, message?: string) => {
        const fields = typeof first === 'string' ? '' : formatFields(first);
        const text = formatString(typeof first === 'string' ? first : (message ?? ''));
        write(`{"level":"${level}","time":"${currentTime()}"${context}${fields},"msg":${text}}`, level);
      };
    };
    return {
      debug: createMethod('debug'),
      info: createMethod('info'),
      warn: createMethod('warn'),
      error: createMethod('error'),
      child: (fields) => createWithContext(context + formatFields(fields)),
      isLevelEnabled,
    };
  }
  return createWithContext(formatFields({ from }));
}

/** Each field as `,"name":value`: faster than `JSON.stringify`, and the text is printable. */
function formatFields(fields: object): string {
  let json = '';
  for (const name in fields) {
    const value: unknown = fields[name as keyof typeof fields];
    if (value !== undefined) json += `,"${name}":${formatValue(name, value)}`;
  }
  return json;
}

function formatValue(name: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return secretName.test(name) ? redacted : formatString(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return printableJson((JSON.stringify(value) ?? 'null').replace(nestedSecrets, `"$1":${redacted}`));
  }
}

/** Visible ASCII and spaces, without quote and backslash. */
const plainText = /^[ !#-[\]-~]*$/;

function formatString(text: string): string {
  return plainText.test(text) ? `"${text}"` : printableJson(JSON.stringify(text));
}

/** No code logs headers, bodies or environments. This redaction is a second line of defence. */
const secretName = /^(?:secret|authorization|apiKey)$/i;
const nestedSecrets = /"(secret|authorization|apiKey)":"(?:[^"\\]|\\.)*"/gi;
const redacted = '"[redacted]"';

/** ISO 8601 in UTC. The text of the current second is kept, as most lines share it with the line before. */
function currentTime(): string {
  const now = Date.now();
  const ms = now % 1000;
  if (now - ms !== second.start) {
    const start = now - ms;
    second = { start, text: new Date(start).toISOString().slice(0, -'000Z'.length) };
  }
  return `${second.text}${String(ms).padStart(3, '0')}Z`;
}

let second = { start: 0, text: '1970-01-01T00:00:00.' };
