import type { ResponseRewriter } from '../api/response-format.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { ResponseTooLarge } from './failure.ts';
import type { Relay } from './relay.ts';
import type { ResponseTail } from './response-tail.ts';

/** What an answer in one piece may come to, bytes. */
const MOST_HELD = 64 * 1024 ** 2;

/** Holds an answer in one piece until it is whole, and passes it mended. llama-server sends such at once. */
export class RewritingRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #ends: ResponseTail;
  readonly #mender: ResponseRewriter;
  readonly #begin: (contentLength: number) => void;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;

  /** `begin` writes the head of an answer of so many bytes. */
  constructor(
    response: ClientResponse,
    ends: ResponseTail,
    mender: ResponseRewriter,
    begin: (contentLength: number) => void,
  ) {
    this.#response = response;
    this.#ends = ends;
    this.#mender = mender;
    this.#begin = begin;
  }

  get hasStarted(): boolean {
    return this.#response.raw.writableEnded;
  }

  /** Throws what ends the exchange. */
  write(chunk: Buffer): boolean {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MOST_HELD) throw new ResponseTooLarge(`an answer of more than ${MOST_HELD} bytes`);
    this.#held.push(chunk);
    return true;
  }

  end(): boolean {
    const body = this.#mender.rewriteBody(Buffer.concat(this.#held));
    this.#begin(body.length);
    if (body.length > 0) this.#ends.add(body);
    this.#response.end(body);
    return true;
  }

  fail(): void {
    this.#response.destroy();
  }
}
