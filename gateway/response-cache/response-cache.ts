import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { findExceededLimit } from '../../json/json-limits.ts';
import type { Key } from '../../keys/key.ts';
import type { Log } from '../../log/create-log.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { parseJsonObject, replaceLoneSurrogates } from '../api/json.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { GatewayConfig, ResponseCacheConfig } from '../config.ts';
import { type CachedResponse, decodeResponse, encodeResponse } from './cached-response.ts';
import { canonicalRequest } from './canonical-request.ts';
import { isRepeatable, requestedUse } from './eligibility.ts';
import { MemoryStore, type ResponseStore } from './response-store.ts';
import { open, seal } from './sealed-value.ts';

/** A request that the cache can be asked about. */
export interface CacheableRequest {
  readonly route: ApiRoute;
  readonly headers: IncomingHttpHeaders;
  /** Undefined without authentication: then all clients are one owner. */
  readonly key: Key | undefined;
  /** As the client sent it, with the defaults of the model. */
  readonly body: Buffer;
  /** The model that answers. */
  readonly model: string;
}

/** To write a request canonically may take a hundred times as long as to parse it: a second for a million values. */
const requestLimits = { levels: Number.POSITIVE_INFINITY, values: 100_000 } as const;

/**
 * Whole responses by everything that they depend on: the owner, the route, the complete request, and what identifies the
 * answers of the engine. A request that differs in anything is another one. See docs/response-cache.md.
 */
export class ResponseCache implements Disposable {
  readonly #store: ResponseStore;

  constructor(store: ResponseStore) {
    this.#store = store;
  }

  /** Undefined for a request whose response is not kept. */
  entryFor({ route, headers, key, body, model }: CacheableRequest): CacheEntry | undefined {
    const use = requestedUse(route, headers);
    if (use === 'bypass') return undefined;
    const text = replaceLoneSurrogates(body.toString());
    if (findExceededLimit(text, requestLimits) !== undefined) return undefined;
    const fields = parseJsonObject(text);
    if (fields === undefined || !isRepeatable(route, fields)) return undefined;
    const request = canonicalRequest(text, model);
    if (request === undefined) return undefined;
    const dialect = [headers['anthropic-version'], headers['anthropic-beta']];
    const digest = createHash('sha512')
      .update(JSON.stringify([packageFile.version, key?.id, key?.fingerprint, route.upstream, dialect]))
      .update(request)
      .digest();
    return new CacheEntry(this.#store, digest, use === 'refresh');
  }

  /** What is kept here; undefined if another process knows. */
  get usage(): ResponseStore['usage'] {
    return this.#store.usage;
  }

  [Symbol.dispose](): void {
    this.#store[Symbol.dispose]();
  }
}

/** The place of one request in the cache. Where that is depends on the engine as well: `identity` is that of its answers. */
export class CacheEntry {
  readonly #store: ResponseStore;
  readonly #digest: Buffer;
  readonly #isRefresh: boolean;

  constructor(store: ResponseStore, digest: Buffer, isRefresh: boolean) {
    this.#store = store;
    this.#digest = digest;
    this.#isRefresh = isRefresh;
  }

  get maxBytes(): number {
    return this.#store.maxValueBytes;
  }

  /** A promise only where another process keeps the responses. */
  read(identity: string | undefined): CachedResponse | undefined | Promise<CachedResponse | undefined> {
    if (this.#isRefresh || identity === undefined) return undefined;
    const { name, secret } = this.#placeFor(identity);
    const value = this.#store.get(name);
    const toResponse = (sealed: Buffer | undefined) => {
      const encoded = sealed && open(sealed, secret);
      return encoded && decodeResponse(encoded);
    };
    return value instanceof Promise ? value.then(toResponse) : toResponse(value);
  }

  write(identity: string, response: CachedResponse): void {
    const { name, secret } = this.#placeFor(identity);
    const value = seal(encodeResponse(response), secret);
    if (value.length <= this.maxBytes) this.#store.set(name, value);
  }

  #placeFor(identity: string): { readonly name: Buffer; readonly secret: Buffer } {
    const place = createHash('sha512').update(this.#digest).update(identity).digest();
    return { name: place.subarray(0, 32), secret: place.subarray(32) };
  }
}

export async function createResponseCache(
  { kind, maxBytes, ttlMs }: ResponseCacheConfig,
  { redisUrl: url, redisTimeoutMs: timeoutMs }: GatewayConfig['rates'],
  log: Log,
): Promise<ResponseCache> {
  if (kind === 'memory' || url === undefined) return new ResponseCache(new MemoryStore(maxBytes, ttlMs));
  const { RedisResponseStore } = await import('./redis-response-store.ts');
  const store = new RedisResponseStore({ url, ttlMs, timeoutMs, log });
  await store.connect();
  return new ResponseCache(store);
}
