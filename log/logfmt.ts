import { Writable } from 'node:stream';

/** Rewrites pino's JSON lines as `key=value` pairs; nested values stay JSON inside quotes. */
export function logfmtStream(destination: NodeJS.WritableStream): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      destination.write(`${toLogfmt(JSON.parse(line))}\n`, () => done());
    },
  });
}

export function toLogfmt(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${show(value)}`)
    .join(' ');
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
