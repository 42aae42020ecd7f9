import type { JsonObject } from '../../../json/json-object.ts';
import { formatComment, formatEvent } from '../../../sse/sse.ts';
import { hasEnded, type ResponseEvent, type ResponseStatus } from '../../../store/response.ts';
import type { Store } from '../../../store/store.ts';
import { lastEventOf, replayEvents } from '../../api/responses/replay-events.ts';
import { toAbortSignal } from '../../cancellation.ts';
import type { GatewayConfig } from '../../config.ts';
import type { ApiError } from '../../errors/api-error.ts';
import { eventsLost, responseNotFound } from '../../errors/responses-catalogue.ts';
import type { RequestContext } from '../../proxy/request-context.ts';
import { earlyHeaders } from '../../upstream/headers.ts';
import { drained } from '../store/send-content.ts';
import type { StoreChanges } from './store-changes.ts';

export interface FollowServices {
  readonly store: () => Store;
  readonly changes: StoreChanges;
  readonly config: GatewayConfig;
  /** Aborts when the gateway stops: nobody waits for a response that has not begun then. */
  readonly draining: AbortSignal;
}

/** Events that are read and sent at once. */
const PAGE = 256;
const lastEvent = /^event: response\.(?:completed|incomplete|failed)\n/;

/**
 * Sends the events of a background response, as they are stored: those behind the number `after`, or all, up to its end. A
 * silent response is kept alive by comments. Throws an ApiError if events behind `after` are gone.
 */
export async function followResponse(
  context: RequestContext,
  { owner, id }: { readonly owner: string; readonly id: string },
  after: number | undefined,
  services: FollowServices,
): Promise<void> {
  await new Follower(context, owner, id, services).run(after);
}

class Follower {
  readonly #context: RequestContext;
  readonly #owner: string;
  readonly #id: string;
  readonly #services: FollowServices;
  /** The number of the last event that its client has; -1 before the first. */
  #last = -1;
  #writtenAt = performance.now();

  constructor(context: RequestContext, owner: string, id: string, services: FollowServices) {
    this.#context = context;
    this.#owner = owner;
    this.#id = id;
    this.#services = services;
  }

  async run(after: number | undefined): Promise<void> {
    const { incoming, response, record, controller } = this.#context;
    record.streamed = true;
    this.#last = after ?? -1;
    if (this.#isLost) throw this.#lostError();
    response.writeHead(200, earlyHeaders.events);
    response.flushHead();
    // Its client has all of it, and may send the next request on this connection.
    if (incoming.method === 'HEAD') return response.end();
    while (!controller.signal.aborted) {
      const events = this.#read();
      if (this.#isLost) return this.#fail(this.#lostError());
      const last = events.at(-1);
      if (last !== undefined) {
        await this.#write(events.map(({ text }) => text).join(''));
        this.#last = last.sequence;
        if (lastEvent.test(last.text)) return response.end();
        continue;
      }
      const status = this.#responses.statusOf(this.#owner, this.#id);
      if (status === undefined) return this.#fail(responseNotFound(this.#id));
      if (status === 'queued' && this.#services.draining.aborted) return response.destroy();
      if (!hasEnded(status)) await this.#wait(status);
      // Its last events may have been stored after the others were read.
      else if (this.#read().length === 0) return this.#end();
    }
  }

  get #responses(): Store['responses'] {
    return this.#services.store().responses;
  }

  #read(): readonly ResponseEvent[] {
    return this.#responses.eventsAfter(this.#id, this.#last, PAGE);
  }

  /** It has begun anew behind the events that the client has, or its events have been dropped. */
  get #isLost(): boolean {
    return this.#last >= 0 && this.#last < this.#responses.firstEvent(this.#id);
  }

  #lostError(): ApiError {
    return eventsLost(this.#responses.eventsAfter(this.#id, -1, 1)[0]?.sequence);
  }

  async #write(events: string): Promise<void> {
    const { response, record } = this.#context;
    const bytes = Buffer.from(events);
    this.#writtenAt = performance.now();
    record.bytesOut += bytes.length;
    record.firstByteAt ??= performance.now();
    if (!response.write(bytes)) await drained(this.#context, this.#services.config.timeouts.streamIdle);
  }

  async #wait(status: ResponseStatus): Promise<void> {
    const { response, controller } = this.#context;
    const { changes, draining } = this.#services;
    const cancelled = toAbortSignal(controller.signal);
    const signal = status === 'queued' ? AbortSignal.any([cancelled, draining]) : cancelled;
    const { streamKeepAlive: interval } = this.#services.config.timeouts;
    const left = () => this.#writtenAt + interval - performance.now();
    await changes.next(interval === 0 ? 0 : Math.max(1, left()), signal);
    if (interval === 0 || left() > 0) return;
    this.#writtenAt = performance.now();
    if (response.acceptsData) response.write(Buffer.from(formatComment('keep-alive')));
  }

  /** A response that has ended: with what is not among its stored events. */
  #end(): void {
    const object = this.#responses.get(this.#owner, this.#id)?.object;
    if (object === undefined) {
      this.#fail(responseNotFound(this.#id));
      return;
    }
    const events = this.#last < 0 ? replayEvents(object) : this.#missingEnd(object);
    const text = events.map((event) => formatEvent(event, String(event.type))).join('');
    this.#context.response.end(Buffer.from(text));
  }

  /** Nobody writes the last event of a response that is cancelled. */
  #missingEnd(object: JsonObject): readonly JsonObject[] {
    const [last] = this.#responses.eventsAfter(this.#id, this.#last - 1, 1);
    if (last === undefined || lastEvent.test(last.text)) return [];
    return [{ ...lastEventOf(object), sequence_number: this.#last + 1 }];
  }

  #fail({ code, message }: ApiError): void {
    this.#context.record.error = code;
    const error = { type: 'error', code, message, param: null, sequence_number: this.#last + 1 };
    this.#context.response.end(Buffer.from(formatEvent(error, 'error')));
  }
}
