import { printableJson } from './printable.ts';

/** `key=value` pairs in one line; nested values stay JSON inside quotes. */
export function toLogfmt(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${formatValue(value)}`)
    .join(' ');
}

/** Visible ASCII without quote, equals sign and backslash. */
const plainWord = /^[!#-<>-[\]-~]+$/;

/** Quoted and escaped where it is not one plain word. */
export function formatValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return plainWord.test(text) ? text : printableJson(JSON.stringify(text));
}
