import { toAbortSignal } from '../cancellation.ts';
import type { Preemptible } from '../scheduler/idle-slots.ts';
import { Preempted } from '../upstream/failure.ts';
import type { ResponseTail } from '../upstream/relay.ts';
import { requestsStream } from './parse-request.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { StreamContinuation } from './stream-continuation.ts';

/** A response of so few tokens is begun anew if it cannot be continued. */
const FEW_TOKENS = 16;

interface ResponseSoFar {
  readonly tail: Pick<ResponseTail, 'generated'>;
  readonly continuation: Pick<StreamContinuation, 'mayBeContinued'> | undefined;
}

/** A request of a batch: what the scheduler has to know to cut it off. */
export class BatchLine implements Preemptible {
  readonly #context: Pick<ProxyContext, 'request' | 'signal'>;
  readonly #response: () => ResponseSoFar;
  #controller = new AbortController();
  /** When to ask again whether it can be continued, in tokens: it means to parse the body. */
  #askAgainAt = 0;

  constructor(context: Pick<ProxyContext, 'request' | 'signal'>, response: () => ResponseSoFar) {
    this.#context = context;
    this.#response = response;
  }

  /** The signal of an exchange that is about to begin. */
  beginAttempt(): AbortSignal {
    this.#controller = new AbortController();
    return AbortSignal.any([toAbortSignal(this.#context.signal), this.#controller.signal]);
  }

  get generated(): number {
    return this.#response().tail.generated;
  }

  /** What is not generated token by token, embeddings for example, is over soon, and nobody knows how much is done. */
  mayGiveWay(): boolean {
    const { request } = this.#context;
    if (request.stream || !requestsStream(request)) return false;
    const { tail, continuation } = this.#response();
    if (tail.generated <= FEW_TOKENS) return true;
    if (tail.generated < this.#askAgainAt) return false;
    if (continuation?.mayBeContinued) return true;
    this.#askAgainAt = tail.generated + FEW_TOKENS;
    return false;
  }

  preempt(): void {
    this.#controller.abort(new Preempted('its slots are wanted by another request'));
  }
}
