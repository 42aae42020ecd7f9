/**
 * Caches the result of `load` for so many ms after its arrival. Concurrent callers share one call. Failures are not
 * cached: all callers that were waiting get the error, and the next call loads again.
 */
export function cacheFor<T>(ms: number, load: () => Promise<T>): () => Promise<T> {
  let cached: Promise<T> | undefined;
  let validUntil = 0;
  async function reload(): Promise<T> {
    try {
      const result = await load();
      validUntil = performance.now() + ms;
      return result;
    } catch (error) {
      validUntil = 0;
      throw error;
    }
  }
  return () => {
    if (cached === undefined || performance.now() >= validUntil) {
      validUntil = Infinity;
      cached = reload();
    }
    return cached;
  };
}
