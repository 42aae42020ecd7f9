import type { ClientResponse } from '../client-response.ts';
import { nextBeat, type Pace } from './next-beat.ts';
import type { BrokenAnswer } from './relay.ts';
import { earlyHeads } from './stream-heads.ts';
import type { StreamVoice } from './stream-voice.ts';

export interface PacemakerOptions extends Pace {
  /** What the answer is to be: a stream takes events or comments for signs of life, JSON takes white space. */
  readonly speaks: 'events' | 'json';
  readonly voice: StreamVoice;
  /** When the client's request arrived, `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Keeps a request that waits alive: an early head, then a sign of life in every silence. The one writer of both. It may
 * be started at any time before the answer, while its request stands in line too.
 */
export class Pacemaker implements Disposable {
  /** What a stream is told in a silence, such as `queued 3 of 12`; undefined where there is nothing to tell. */
  words: () => string | undefined = () => undefined;
  readonly #response: ClientResponse;
  readonly #options: PacemakerOptions;
  #lastAt = 0;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(response: ClientResponse, options: PacemakerOptions) {
    this.#response = response;
    this.#options = options;
  }

  get speaks(): 'events' | 'json' {
    return this.#options.speaks;
  }

  /** From here on the client is kept alive, counted from its request's arrival. A second call changes nothing. */
  start(): void {
    if (this.#timer === undefined && !this.#isOver) this.#look();
  }

  /** Something of the answer went out just now. Cheap enough to be called for every piece. */
  spoke(): void {
    this.#lastAt = performance.now();
  }

  /** The rest is the answer's own: JSON, once begun, has no room for signs. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Ends an answer whose head is out already: with an error event, or with the error object that stands for the answer. */
  breakOff(broken: BrokenAnswer, envelope: object): void {
    const { speaks, voice } = this.#options;
    if (speaks === 'events') this.#response.end(Buffer.from(voice.failure(broken)));
    else if (this.#isOver) this.#response.destroy();
    else this.#response.end(Buffer.from(JSON.stringify(envelope)));
    this.stop();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look = (): void => {
    const { startedAt } = this.#options;
    const heard = { startedAt, hasHead: this.#response.headersSent, lastAt: this.#lastAt };
    const { say, lookAgainIn } = nextBeat(this.#options, heard, performance.now());
    if (say !== 'nothing') this.#say(say);
    this.#timer = lookAgainIn === undefined ? undefined : setTimeout(this.#look, lookAgainIn);
  };

  /** Nothing is added to what a client has not taken yet. */
  #say(what: 'head' | 'sign'): void {
    const response = this.#response;
    if (!response.hasRoom) return;
    const { speaks, every } = this.#options;
    if (what === 'head') response.begin(200, earlyHeads[speaks]);
    if (every === 0) response.flushHead();
    else response.write(Buffer.from(speaks === 'events' ? this.#signOfStream() : '\n'));
    this.spoke();
  }

  /** In the words of its API, as many clients hear no comments, and its place in a comment, as no API has an event for that. */
  #signOfStream(): string {
    const words = this.words();
    const sign = this.#options.voice.sign();
    if (words === undefined && sign !== '') return sign;
    return `: ${words ?? 'keep-alive'}\n\n${sign}`;
  }
}
