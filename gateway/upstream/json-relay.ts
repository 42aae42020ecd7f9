import type { ResponseRewriter } from '../api/response-format.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { ResponseTooLarge } from './failure.ts';
import type { Relay, ResponseTail } from './relay.ts';

/** A response is held back up to this size, bytes: as long as it is held, another engine can give it. */
const MAX_HELD = 1024 ** 2;

/** The largest response that is rewritten, bytes. */
const MAX_REWRITTEN = 64 * 1024 ** 2;

/** Passes a response that is not a stream, byte for byte: a small one when it is complete, a large one as it arrives. */
export class PlainRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #tail: ResponseTail;
  readonly #writeHead: () => void;
  #held: Buffer[] | undefined = [];
  #heldBytes = 0;

  constructor(response: ClientResponse, tail: ResponseTail, writeHead: () => void) {
    this.#response = response;
    this.#tail = tail;
    this.#writeHead = writeHead;
  }

  get hasStarted(): boolean {
    return this.#held === undefined;
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    if (this.#held === undefined) return this.#pass(chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    return this.#heldBytes <= MAX_HELD || this.#release(this.#held);
  }

  end(): boolean {
    if (this.#held === undefined) this.#response.end();
    else this.#endWith(this.#held);
    return true;
  }

  /** Half a JSON object cannot be completed. Only a closed connection is not mistaken for a response by any client. */
  fail(): void {
    this.#response.destroy();
  }

  /** Head and body are written as one. */
  #endWith(held: readonly Buffer[]): void {
    this.#held = undefined;
    this.#writeHead();
    for (const chunk of held) this.#tail.add(chunk);
    this.#response.end(held.length === 1 ? held[0] : Buffer.concat(held));
  }

  #release(held: readonly Buffer[]): boolean {
    this.#held = undefined;
    this.#writeHead();
    return held.map((chunk) => this.#pass(chunk)).at(-1) ?? true;
  }

  #pass(chunk: Buffer): boolean {
    this.#tail.add(chunk);
    return this.#response.write(chunk);
  }
}

/** Holds a response that is not a stream until it is complete, and passes it rewritten. */
export class RewritingRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #tail: ResponseTail;
  readonly #rewriter: ResponseRewriter;
  readonly #writeHead: (contentLength: number) => void;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(
    response: ClientResponse,
    tail: ResponseTail,
    rewriter: ResponseRewriter,
    writeHead: (contentLength: number) => void,
  ) {
    this.#response = response;
    this.#tail = tail;
    this.#rewriter = rewriter;
    this.#writeHead = writeHead;
  }

  get hasStarted(): boolean {
    return this.#response.raw.writableEnded;
  }

  /** Throws ResponseTooLarge, which ends the exchange. */
  write(chunk: Buffer): boolean {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MAX_REWRITTEN)
      throw new ResponseTooLarge(`a response of more than ${MAX_REWRITTEN} bytes`);
    this.#held.push(chunk);
    return true;
  }

  end(): boolean {
    const body = this.#rewriter.rewriteBody(Buffer.concat(this.#held));
    this.#writeHead(body.length);
    if (body.length > 0) this.#tail.add(body);
    this.#response.end(body);
    return true;
  }

  fail(): void {
    this.#response.destroy();
  }
}
