/**
 * Asks no more often than every so many ms, and once for all who want to know meanwhile. A question that fails has no
 * answer to be kept: whoever waited for it learns of the failure, and the next one asks anew.
 */
export function cacheFor<T>(forMs: number, find: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  let until = 0;
  async function ask(): Promise<T> {
    try {
      const found = await find();
      until = performance.now() + forMs;
      return found;
    } catch (error) {
      until = 0;
      throw error;
    }
  }
  return () => {
    if (known === undefined || performance.now() >= until) {
      until = Infinity;
      known = ask();
    }
    return known;
  };
}
