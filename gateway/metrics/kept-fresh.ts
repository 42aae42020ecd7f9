/**
 * Asks no more often than every so many ms, and once for all who want to know meanwhile. `find` never rejects.
 */
export function keptFresh<T>(forMs: number, find: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (known === undefined || performance.now() >= until) {
      until = Infinity;
      known = find();
      void known.then(() => {
        until = performance.now() + forMs;
      });
    }
    return known;
  };
}
