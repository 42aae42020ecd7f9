import type { Readable } from 'node:stream';

/** A line longer than this is cut: it must not grow the memory of a process that only watches. */
const longestLine = 8192;

/** Calls `onLine` for every line of a text stream, the last one even without its line end. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = (parts.pop() ?? '').slice(0, longestLine);
    for (const part of parts) onLine(part.replace(/\r$/, '').slice(0, longestLine));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
