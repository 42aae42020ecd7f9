import type { ClientResponse } from '../client-response.ts';
import type { AnswerEnds } from './answer-ends.ts';
import type { AnswerMender } from './answer-mender.ts';
import { AnswerTooLarge } from './failure.ts';
import type { Relay } from './relay.ts';

/** What an answer in one piece may come to, bytes. */
const MOST_HELD = 64 * 1024 ** 2;

/** Holds an answer in one piece until it is whole, and passes it mended. llama-server sends such at once. */
export class MendingRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #ends: AnswerEnds;
  readonly #mender: AnswerMender;
  readonly #begin: (contentLength: number) => void;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;

  /** `begin` writes the head of an answer of so many bytes. */
  constructor(
    response: ClientResponse,
    ends: AnswerEnds,
    mender: AnswerMender,
    begin: (contentLength: number) => void,
  ) {
    this.#response = response;
    this.#ends = ends;
    this.#mender = mender;
    this.#begin = begin;
  }

  get hasBegun(): boolean {
    return this.#response.raw.writableEnded;
  }

  /** Throws what ends the exchange. */
  write(chunk: Buffer): boolean {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MOST_HELD) throw new AnswerTooLarge(`an answer of more than ${MOST_HELD} bytes`);
    this.#held.push(chunk);
    return true;
  }

  end(): boolean {
    const body = this.#mender.whole(Buffer.concat(this.#held));
    this.#begin(body.length);
    if (body.length > 0) this.#ends.add(body);
    this.#response.end(body);
    return true;
  }

  breakOff(): void {
    this.#response.destroy();
  }
}
