import { finished } from 'node:stream/promises';
import type { ApiRoute } from '../api/route-table.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import { type CachedResponse, renewedBody } from '../response-cache/cached-response.ts';
import type { CacheEntry, ResponseCache } from '../response-cache/response-cache.ts';
import { ResponseRecorder } from '../response-cache/response-recorder.ts';
import { headersForClient } from '../upstream/headers.ts';
import { ResponseTail } from '../upstream/relay.ts';
import type { BodyAllocation } from './body-budget.ts';
import type { RequestContext } from './request-context.ts';
import type { RequestRecord } from './request-record.ts';

/** What the cache did for a request; `bypass`: its response is neither read from it nor kept. */
type CacheResult = NonNullable<RequestRecord['cache']>;

/** As much as of any response may wait for a client that does not keep up, bytes. */
const MAX_UNREAD = 1024 ** 2;

/** One request whose response may be in the cache, or is to be kept there. */
export class CachedRequest {
  readonly #client: RequestContext;
  readonly #entry: CacheEntry;
  #recorder: ResponseRecorder | undefined;
  /** That of the engine when the cache was asked. */
  #identity: string | undefined;

  /** Undefined if its response is not to be cached. `body`: with the defaults of the model. `model`: the one that answers. */
  static open(
    cache: ResponseCache,
    route: ApiRoute,
    client: RequestContext,
    body: Buffer,
    model: string,
  ): CachedRequest | undefined {
    const { headers } = client.incoming;
    const entry = cache.entryFor({ route, headers, key: client.key, body, model });
    if (entry === undefined) report(client, 'bypass');
    return entry && new CachedRequest(client, entry);
  }

  private constructor(client: RequestContext, entry: CacheEntry) {
    this.#client = client;
    this.#entry = entry;
  }

  /**
   * Sends the response from the cache. Returns false if there is none: then what the client gets from now on is recorded.
   *
   * All of a response is in memory until its client has read it, and no slot limits how many are. So large ones count as bodies
   * do; beyond that memory the engine answers, which is paused for a client that does not keep up.
   */
  async serve(
    { identity }: EngineServices,
    rateLimits: Pick<RateLimits, 'setTokenHeaders'>,
    allocation: Pick<BodyAllocation, 'allocate'>,
  ): Promise<boolean> {
    this.#identity = identity;
    const reading = this.#entry.read(identity);
    const found = reading instanceof Promise ? await reading : reading;
    const isLarge = found !== undefined && found.body.length > MAX_UNREAD;
    const isHit = found !== undefined && !(isLarge && allocation.allocate(found.body.length));
    report(this.#client, isHit ? 'hit' : 'miss');
    if (isHit) {
      await rateLimits.setTokenHeaders(this.#client);
      this.#send(found);
      if (isLarge) await this.#whenRead();
      return true;
    }
    // It could not be kept.
    if (identity === undefined) return false;
    const recorder = new ResponseRecorder(this.#entry.maxBytes);
    this.#recorder = recorder;
    this.#client.response.onBody = (piece) => recorder.add(piece);
    return false;
  }

  /**
   * Keeps the response, if it is whole and was generated in one piece. `engine` is the one that did so. If its identity has changed
   * meanwhile, the one before may have given all of the response, or a part of it.
   */
  save({ identity }: EngineServices): void {
    const { record, response, controller } = this.#client;
    response.onBody = undefined;
    const recorded = this.#recorder?.recorded;
    const isWhole = response.raw.writableEnded && !controller.signal.aborted;
    if (!isWhole || !isUndisturbed(record) || recorded === undefined) return;
    if (identity === undefined || identity !== this.#identity) return;
    this.#entry.write(identity, { ...recorded, finishReason: record.finishReason });
  }

  /** Until the client has read all, has left, or the request is cancelled. */
  async #whenRead(): Promise<void> {
    const { response, controller } = this.#client;
    const drop = () => response.destroy();
    controller.signal.addEventListener('abort', drop, { once: true });
    if (controller.signal.aborted) drop();
    await finished(response.raw).catch(() => {});
    controller.signal.removeEventListener('abort', drop);
  }

  #send(found: CachedResponse): void {
    const { record, response } = this.#client;
    const body = renewedBody(found, Date.now());
    const timings = { queuedMs: 0, processingMs: performance.now() - record.startedAt };
    const headers = found.isStream ? { 'content-type': 'text/event-stream' } : {};
    // A client that has waited for another model may have been told so.
    if (!response.headersSent)
      response.writeHead(200, headersForClient(headers, timings, String(body.length)));
    response.end(body);
    record.responseTail = new ResponseTail();
    record.responseTail.add(body);
    record.bytesOut = body.length;
    record.firstByteAt = record.responseTail.firstByteAt;
    record.finishReason = found.finishReason;
  }
}

function report({ record, response }: RequestContext, result: CacheResult): void {
  record.cache = result;
  response.setHeader('x-corral-cache', result);
}

/** Sent again, continued or preempted, the response is as good, but not what the engine gives in one piece. */
const isUndisturbed = ({ error, retries, continued, preempted }: RequestRecord) =>
  error === undefined && retries === undefined && continued === undefined && preempted === undefined;
