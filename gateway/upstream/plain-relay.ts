import type { ClientResponse } from '../http/client-response.ts';
import type { Relay, ResponseTail } from './relay.ts';

/** A response is held back up to this size, bytes: as long as it is held, another engine can give it. */
const MAX_HELD = 1024 ** 2;

/** Writes the head of a response, once. */
export interface HeadWriter {
  writeHead(): void;
}

/** Passes a response that is not a stream, byte for byte: a small one when it is complete, a large one as it arrives. */
export class PlainRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #tail: ResponseTail;
  readonly #head: HeadWriter;
  hasStarted = false;
  #held: Buffer[] | undefined = undefined;
  #heldBytes = 0;

  constructor(response: ClientResponse, tail: ResponseTail, head: HeadWriter) {
    this.#response = response;
    this.#tail = tail;
    this.#head = head;
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    if (this.hasStarted) return this.#pass(chunk);
    if (this.#held === undefined) this.#held = [chunk];
    else this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    return this.#heldBytes <= MAX_HELD || this.#release();
  }

  end(): boolean {
    if (this.hasStarted) this.#response.end();
    else this.#endWithHeld();
    return true;
  }

  /** Half a JSON object cannot be completed. Only a closed connection is not mistaken for a response by any client. */
  fail(): void {
    this.#response.destroy();
  }

  /** Head and body are written as one. */
  #endWithHeld(): void {
    const held = this.#start();
    for (const chunk of held) this.#tail.add(chunk);
    this.#response.end(held.length === 1 ? held[0] : Buffer.concat(held));
  }

  #release(): boolean {
    let keepsUp = true;
    for (const chunk of this.#start()) keepsUp = this.#pass(chunk);
    return keepsUp;
  }

  /** Returns what was held. */
  #start(): readonly Buffer[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.hasStarted = true;
    this.#head.writeHead();
    return held;
  }

  #pass(chunk: Buffer): boolean {
    this.#tail.add(chunk);
    return this.#response.write(chunk);
  }
}
