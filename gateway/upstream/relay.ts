import type { ServerResponse } from 'node:http';
import type { AnswerEnds } from './answer-ends.ts';

/** Takes an answer's body from the backend to the client. There is one for each kind of answer. */
export interface Relay {
  /** False where the client does not keep up: stop reading until the response drains. */
  write(chunk: Buffer): boolean;
  /** The backend's answer is complete. */
  end(): void;
  /** The backend's answer will never be complete: tell the client, in the way its kind of answer allows. */
  breakOff(failure: BrokenAnswer): void;
}

/** What a client is told of an answer that cannot be finished. */
export interface BrokenAnswer {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/** Passes bytes as they come. */
export class PlainRelay implements Relay {
  readonly #response: ServerResponse;
  readonly #ends: AnswerEnds;

  constructor(response: ServerResponse, ends: AnswerEnds) {
    this.#response = response;
    this.#ends = ends;
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    this.#ends.add(chunk);
    return this.#response.write(chunk);
  }

  end(): void {
    this.#response.end();
  }

  /** Half an object cannot be mended; a cut connection is the one sign that no client mistakes for an answer. */
  breakOff(): void {
    this.#response.destroy();
  }
}
