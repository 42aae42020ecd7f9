/** The promise's answer, or an error when it has not come within so long (ms). */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new Error(`no answer within ${ms} ms`));
  // One more look at the sockets: while this process is busy, answers lie there that came in time.
  const timer = setTimeout(() => setImmediate(giveUp), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
