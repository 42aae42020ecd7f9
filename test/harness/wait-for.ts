interface WaitOptions {
  /** The timeout, ms. */
  readonly within?: number;
  /** The interval between two checks, ms. */
  readonly every?: number;
}

/**
 * Checks `condition` repeatedly until it returns something truthy, and returns that. The error of a timeout contains the
 * label, and the condition's last error as its cause. The default timeout is long enough for a busy machine.
 */
export async function waitFor<T>(
  label: string,
  condition: () => T | Promise<T>,
  { within = 60_000, every = 10 }: WaitOptions = {},
): Promise<Exclude<Awaited<T>, false | 0 | '' | null | undefined>> {
  const deadline = performance.now() + within;
  let lastError: unknown;
  for (;;) {
    try {
      const result = await condition();
      if (result) return result as Exclude<Awaited<T>, false | 0 | '' | null | undefined>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) break;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  throw new Error(`waited ${within} ms for ${label}`, { cause: lastError });
}
