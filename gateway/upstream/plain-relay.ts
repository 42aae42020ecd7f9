import type { ClientResponse } from '../http/client-response.ts';
import type { Relay } from './relay.ts';
import type { ResponseTail } from './response-tail.ts';

/** What is held back of an answer in one piece, bytes: as long as it is held, another engine can give it. */
const MOST_HELD = 1024 ** 2;

/** Passes the bytes of an answer in one piece as they are: a small one when it is whole, a large one as it comes. */
export class PlainRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #ends: ResponseTail;
  readonly #begin: () => void;
  #held: Buffer[] | undefined = [];
  #heldBytes = 0;

  /** `begin` writes the head. */
  constructor(response: ClientResponse, ends: ResponseTail, begin: () => void) {
    this.#response = response;
    this.#ends = ends;
    this.#begin = begin;
  }

  get hasStarted(): boolean {
    return this.#held === undefined;
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    if (this.#held === undefined) return this.#pass(chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    return this.#heldBytes <= MOST_HELD || this.#release(this.#held);
  }

  end(): boolean {
    if (this.#held === undefined) this.#response.end();
    else this.#endWith(this.#held);
    return true;
  }

  /** Half an object cannot be mended; a cut connection is the one sign that no client mistakes for an answer. */
  fail(): void {
    this.#response.destroy();
  }

  /** Head and body leave as one. */
  #endWith(held: readonly Buffer[]): void {
    this.#held = undefined;
    this.#begin();
    for (const chunk of held) this.#ends.add(chunk);
    this.#response.end(held.length === 1 ? held[0] : Buffer.concat(held));
  }

  #release(held: readonly Buffer[]): boolean {
    this.#held = undefined;
    this.#begin();
    return held.map((chunk) => this.#pass(chunk)).at(-1) ?? true;
  }

  #pass(chunk: Buffer): boolean {
    this.#ends.add(chunk);
    return this.#response.write(chunk);
  }
}
