export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** The result of a promise, or DeadlineExceeded if there is none within so many ms. */
export async function withDeadline<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const expire = () => reject(new DeadlineExceeded(`no result within ${ms} ms`));
  // Read the sockets once more first: if this process was busy, a reply may have arrived in time.
  const timer = setTimeout(() => setImmediate(expire), ms);
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
