import { mapEvents } from '../../sse/sse.ts';

const LINE_FEED = 0x0a;
const jsonStarts: ReadonlySet<number | undefined> = new Set([0x7b, 0x5b]);

/** Collects the body of a response while it is sent, up to a number of bytes. */
export class ResponseRecorder {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxBytes) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  /** The body without what only kept its client waiting; undefined if it was too large, or there is none. */
  get recorded(): { readonly body: Buffer; readonly isStream: boolean } | undefined {
    if (this.#bytes === 0 || this.#bytes > this.#maxBytes) return undefined;
    const body = Buffer.concat(this.#pieces);
    const from = body.findIndex((byte) => byte !== LINE_FEED);
    const isStream = !jsonStarts.has(body[from]);
    return { isStream, body: isStream ? mapEvents(body, withoutKeepAlive) : body.subarray(from) };
  }
}

const withoutKeepAlive = (event: string) =>
  event.startsWith(':') || event.startsWith('event: ping') ? undefined : event;
