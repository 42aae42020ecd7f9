/** An answer that did not come in time. */
export class DeadlineExceeded extends Error {
  override readonly name = 'TooLate';
}

/** The promise's answer, or TooLate when it has not come within so long (ms). */
export async function withDeadline<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new DeadlineExceeded(`no answer within ${ms} ms`));
  // One more look at the sockets: while this process is busy, answers lie there that came in time.
  const timer = setTimeout(() => setImmediate(giveUp), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
