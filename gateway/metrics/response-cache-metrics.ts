import type { Registry } from 'prom-client';
import type { RequestFinished, RequestRecord } from '../proxy/request-record.ts';
import { responseCache } from './catalogue.ts';
import { registerSamples, registerValue } from './register.ts';

interface CacheSource {
  /** Undefined if the responses are in Redis. */
  readonly usage: { readonly entries: number; readonly bytes: number } | undefined;
}

/**
 * Returns what counts a finished request. Each counts once, with the last result: one that goes on at another target of its
 * alias asks the cache again. Nothing is shown where responses are not cached.
 */
export function registerResponseCacheMetrics(
  registry: Registry,
  source: CacheSource | undefined,
): (event: RequestFinished) => void {
  const results: Record<NonNullable<RequestRecord['cache']>, number> = { hit: 0, miss: 0, bypass: 0 };
  registerSamples(registry, responseCache.requests, () =>
    source === undefined ? [] : Object.entries(results).map(([result, n]) => [{ result }, n] as const),
  );
  registerValue(registry, responseCache.entries, () => source?.usage?.entries);
  registerValue(registry, responseCache.bytes, () => source?.usage?.bytes);
  return ({ record: { cache } }) => {
    if (cache !== undefined) results[cache] += 1;
  };
}
