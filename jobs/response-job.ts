import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayClient } from '../client/gateway-client.ts';
import type { JsonObject } from '../json/json-object.ts';
import type { Log } from '../log/create-log.ts';
import { ContentError } from '../store/errors.ts';
import type { ResponseEvent, ResponseStatus, ResponseSummary } from '../store/response.ts';
import type { Store } from '../store/store.ts';
import { EventWriter } from './event-writer.ts';
import { type GenerationResult, generateResponse } from './generate-response.ts';
import { type Decision, judgeGeneration } from './judge-generation.ts';
import { failedEvents, readResponse } from './response-event.ts';
import type { StoreGuard } from './store-guard.ts';

export interface ResponseJobServices {
  readonly store: Store;
  readonly guard: StoreGuard;
  readonly gateway: GatewayClient;
  readonly log: Log;
  /** How often a response may begin anew, and how often in a row an engine may fail with it. */
  readonly maxReplays: number;
  /** Aborts when no more requests are sent. */
  readonly stopping: AbortSignal;
}

/** A key that is refused may be so by a mistake in the key file that is corrected soon, ms. */
const REFUSAL_GRACE = 10_000;

/** The generation of one background response: it is requested until it has ended. */
export class ResponseJob {
  readonly response: ResponseSummary;
  readonly #services: ResponseJobServices;
  readonly #aborted = new AbortController();
  /** How often in a row it had to wait, and how often of these it may have been the reason itself. */
  #failures = 0;
  #blamed = 0;
  #refusedSince: number | undefined;
  #hasBegun = false;

  constructor(response: ResponseSummary, services: ResponseJobServices) {
    this.response = response;
    this.#services = services;
    this.#hasBegun = response.status === 'in_progress';
  }

  /** Cuts it off. What has been generated is stored, and the next runner goes on from there. */
  stop(): void {
    this.#aborted.abort();
  }

  /** Resolves when it has ended, or was stopped. */
  async run(): Promise<void> {
    try {
      while (!this.#isStopping) {
        const decision = judgeGeneration(await this.#generate(), this.#failures);
        if (await this.#follow(decision)) return;
      }
    } catch (error) {
      if (!this.#isStopping) throw error;
    }
  }

  get #isStopping(): boolean {
    return this.#aborted.signal.aborted || this.#services.stopping.aborted;
  }

  async #generate(): Promise<GenerationResult> {
    const { gateway } = this.#services;
    const { owner, user, id } = this.response;
    const writer = new EventWriter((events) => this.#append(events));
    const onEvents = (events: readonly ResponseEvent[]) => {
      if (events.length > 0) this.#onProgress();
      return writer.add(events);
    };
    try {
      return await generateResponse(gateway, { owner, user, id, onEvents, signal: this.#aborted.signal });
    } finally {
      // The gateway goes on behind what is stored.
      await writer.flush();
    }
  }

  #onProgress(): void {
    this.#failures = 0;
    this.#blamed = 0;
    this.#refusedSince = undefined;
  }

  async #append(events: readonly ResponseEvent[]): Promise<void> {
    const { store, guard } = this.#services;
    const { id } = this.response;
    const isOpen = await guard.persist(() => {
      if (!this.#hasBegun) this.#hasBegun = store.responses.begin(id);
      return store.responses.appendEvents(id, events);
    });
    if (!isOpen) this.stop();
  }

  /** Whether it has ended. */
  async #follow(decision: Decision): Promise<boolean> {
    switch (decision.response) {
      case 'ends': {
        const response = readResponse(decision.event);
        await this.#finish(response.status, response, [decision.event]);
        return true;
      }
      case 'fails':
        return this.#fail(decision.code, decision.message);
      case 'is refused':
        return this.#onRefusal(decision.code, decision.message);
      case 'begins anew':
        return this.#beginAnew(decision.reason);
      case 'waits':
        this.#failures += 1;
        this.#blamed += decision.isBlamed ? 1 : 0;
        if (this.#blamed > this.#services.maxReplays) return this.#fail('server_error', decision.reason);
        return this.#wait(decision.forMs);
    }
  }

  async #wait(ms: number): Promise<false> {
    const signal = AbortSignal.any([this.#aborted.signal, this.#services.stopping]);
    await sleep(ms, undefined, { signal });
    return false;
  }

  async #beginAnew(reason: string): Promise<boolean> {
    const { store, guard, log, maxReplays } = this.#services;
    const { id, owner } = this.response;
    const times = await guard.persist(() => store.responses.restart(id));
    if (times === undefined) return true;
    if (times > maxReplays) return this.#fail('server_error', `it broke off too often: ${reason}`);
    log.warn({ response: id, key: owner || undefined, reason, times }, 'background response begins anew');
    return false;
  }

  async #onRefusal(code: string, message: string): Promise<boolean> {
    this.#refusedSince ??= performance.now();
    if (performance.now() - this.#refusedSince < REFUSAL_GRACE) return this.#wait(1000);
    return this.#fail(code, `The key of this response: ${message}`);
  }

  async #fail(code: string, message: string): Promise<true> {
    const { responses } = this.#services.store;
    const sent = this.#readSent();
    if (sent === undefined) return true;
    const response = { ...sent.object, status: 'failed', error: { code, message } };
    const lastEvents = failedEvents(response, responses.nextEvent(this.response.id), sent.isAnnounced);
    await this.#finish('failed', response, lastEvents);
    return true;
  }

  /** What its client has got so far; the least that a response has if that was damaged on disk. Undefined if it is gone. */
  #readSent(): { readonly object: JsonObject; readonly isAnnounced: boolean } | undefined {
    const { responses } = this.#services.store;
    const { id, owner, model, createdAt } = this.response;
    try {
      const object = responses.get(owner, id)?.object;
      return object && { object, isAnnounced: responses.eventsAfter(id, -1, 1).length > 0 };
    } catch (error) {
      if (!(error instanceof ContentError)) throw error;
      const object = { id, object: 'response', created_at: createdAt, model, background: true, output: [] };
      return { object, isAnnounced: true };
    }
  }

  async #finish(
    status: ResponseStatus,
    response: JsonObject,
    lastEvents: readonly ResponseEvent[],
  ): Promise<void> {
    const { store, guard, log } = this.#services;
    const { id, owner } = this.response;
    const isFinished = await guard.persist(() => store.responses.finish(id, status, response, lastEvents));
    // It was cancelled or deleted a moment ago.
    if (!isFinished) return;
    const { code } = (response.error ?? {}) as { code?: unknown };
    log.info({ response: id, key: owner || undefined, error: code }, `background response ${status}`);
  }
}
