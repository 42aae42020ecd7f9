interface WaitOptions {
  /** The timeout, ms. */
  readonly within?: number;
  /** The interval between two checks, ms; by default it grows from 10 to 50. */
  readonly every?: number;
}

/**
 * Checks `condition` repeatedly until it returns something truthy, and returns that. The error of a timeout contains the
 * label, and the condition's last error as its cause. The default timeout is long enough for a busy machine.
 */
export async function waitFor<T>(
  label: string,
  condition: () => T | Promise<T>,
  { within = 60_000, every }: WaitOptions = {},
): Promise<Exclude<Awaited<T>, false | 0 | '' | null | undefined>> {
  const start = performance.now();
  let lastError: unknown;
  for (;;) {
    try {
      const result = await condition();
      if (result) return result as Exclude<Awaited<T>, false | 0 | '' | null | undefined>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    const elapsed = performance.now() - start;
    if (elapsed >= within) break;
    await new Promise((resolve) => setTimeout(resolve, every ?? growingInterval(elapsed)));
  }
  throw new Error(`waited ${within} ms for ${label}`, { cause: lastError });
}

/** A tenth of the wait so far: many checks are requests to what is waited for, and the tests run beside others. */
function growingInterval(elapsed: number): number {
  return Math.min(50, Math.max(10, elapsed / 10));
}
