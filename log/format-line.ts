import { toLogfmt } from './logfmt.ts';
import { parseLogLine } from './parse-line.ts';
import { printable, printableJson } from './printable.ts';
import { toText } from './text.ts';

export type LogFormat = 'text' | 'json' | 'logfmt';

/** One of pino's lines as it is to be shown, with its line end. */
export function formatLine(line: string, format: LogFormat, colours: boolean): string {
  if (format === 'json') return `${printableJson(line.trimEnd())}\n`;
  const fields = parseLogLine(line);
  if (fields === undefined) return `${printable(line.trimEnd())}\n`;
  return `${format === 'logfmt' ? toLogfmt(fields) : toText(fields, colours)}\n`;
}
