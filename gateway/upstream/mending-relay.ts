import type { ClientResponse } from '../client-response.ts';
import type { AnswerEnds } from './answer-ends.ts';
import type { AnswerMender } from './answer-mender.ts';
import type { Relay } from './relay.ts';

/** Holds an answer in one piece until it is whole, and passes it mended. llama-server sends such at once. */
export class MendingRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #ends: AnswerEnds;
  readonly #mender: AnswerMender;
  readonly #begin: () => void;
  readonly #held: Buffer[] = [];

  /** `begin` writes the head. */
  constructor(response: ClientResponse, ends: AnswerEnds, mender: AnswerMender, begin: () => void) {
    this.#response = response;
    this.#ends = ends;
    this.#mender = mender;
    this.#begin = begin;
  }

  get hasBegun(): boolean {
    return this.#response.raw.writableEnded;
  }

  write(chunk: Buffer): boolean {
    this.#held.push(chunk);
    return true;
  }

  end(): boolean {
    const body = this.#mender.whole(Buffer.concat(this.#held));
    this.#begin();
    if (body.length > 0) this.#ends.add(body);
    this.#response.end(body);
    return true;
  }

  breakOff(): void {
    this.#response.destroy();
  }
}
