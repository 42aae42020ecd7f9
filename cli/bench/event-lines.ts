const LF = 0x0a;
const CR = 0x0d;
const prefix = 'data:';

/** Finds the data of the events in a stream that arrives in pieces of any size; comments and other fields pass unheard. */
export class EventLines {
  #rest: Buffer | undefined;

  /** The data lines that `chunk` completes. */
  read(chunk: Buffer): string[] {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    const found: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      const data = dataIn(bytes, from, bytes[end - 1] === CR ? end - 1 : end);
      if (data !== undefined) found.push(data);
      from = end + 1;
    }
    this.#rest = from < bytes.length ? bytes.subarray(from) : undefined;
    return found;
  }
}

function dataIn(bytes: Buffer, from: number, end: number): string | undefined {
  if (end - from <= prefix.length || bytes.toString('latin1', from, from + prefix.length) !== prefix)
    return undefined;
  return bytes.toString('utf8', from + prefix.length, end).trimStart();
}
