import { printable, printableJson } from './printable.ts';

export type LogFormat = 'text' | 'json' | 'logfmt';

/** Formats a line, which is printable JSON, for output, with a line end. */
export function formatLine(line: string, format: LogFormat, colours: boolean): string {
  const fields = format === 'json' ? undefined : parseLogLine(line);
  if (fields === undefined) return `${line}\n`;
  return `${format === 'logfmt' ? toLogfmt(fields) : toText(fields, colours)}\n`;
}

/** `key=value` pairs in one line; nested values stay JSON inside quotes. */
export function toLogfmt(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${formatValue(value)}`)
    .join(' ');
}

/** Visible ASCII without quote, equals sign and backslash. */
const plainWord = /^[!#-<>-[\]-~]+$/;

/** Quoted and escaped unless it is one plain word. */
function formatValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return plainWord.test(text) ? text : printableJson(JSON.stringify(text));
}

const reset = '\u001b[0m';
const dim = '\u001b[2m';
const levelColours: Readonly<Record<string, string>> = {
  debug: '\u001b[90m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};

/** Fields that the message of a request already contains. */
const inMessage = new Set(['level', 'time', 'from', 'msg', 'method', 'path', 'status']);

/**
 * For people: time, level, component, message, then the other fields. Values with several lines follow indented, so
 * that only the first line of an entry starts at the margin.
 */
export function toText(fields: LogFields, colours: boolean): string {
  const { level, time, from, msg = '' } = fields;
  const paint = (colour: string, text: string) =>
    colours && text !== '' ? `${colour}${text}${reset}` : text;
  const known = Object.entries(fields).filter(([name]) => !inMessage.has(name));
  const short = known
    .filter(([, value]) => !isLong(value))
    .map(([name, value]) => `${name}=${formatValue(value)}`);
  const head = [
    paint(dim, localTime(time)),
    paint(levelColours[level] ?? '', level.toUpperCase().padEnd(5)),
    `${printable(from)}:`,
    printable(msg),
    paint(dim, short.join(' ')),
  ];
  const below = known.flatMap(([, value]) => (isLong(value) ? value.split('\n') : []));
  const lines = [
    head.filter((part) => part !== '').join(' '),
    ...below.map((line) => `    ${printable(line)}`),
  ];
  return lines.join('\n');
}

const isLong = (value: unknown): value is string => typeof value === 'string' && value.includes('\n');

/** ISO 8601 in the machine's time zone, with its offset. */
function localTime(iso: string): string {
  const at = new Date(iso);
  const east = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + east * 60_000).toISOString().slice(0, -1);
  const [hours, minutes] = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60];
  return `${local}${east < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
}

const two = (value: number) => String(value).padStart(2, '0');

/** A parsed log line. */
interface LogFields {
  readonly level: string;
  readonly time: string;
  readonly from: string;
  readonly msg?: string;
  readonly [name: string]: unknown;
}

/** Undefined if it is not one of our log lines. */
export function parseLogLine(line: string): LogFields | undefined {
  if (!line.startsWith('{"level":"')) return undefined;
  try {
    const fields = JSON.parse(line) as LogFields;
    return typeof fields.time === 'string' && typeof fields.from === 'string' ? fields : undefined;
  } catch {
    return undefined;
  }
}
