interface Window {
  /** Milliseconds until the wait is given up. */
  readonly within?: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
}

/**
 * Looks again and again until `condition` answers something truthy, and returns that. The label names what was waited
 * for in the error on expiry, which carries the condition's own last error as its cause. The window is wide enough for
 * any machine: a narrower one would only tell how fast this one is.
 */
export async function waitFor<T>(
  label: string,
  condition: () => T | Promise<T>,
  { within = 60_000, every = 10 }: Window = {},
): Promise<Exclude<Awaited<T>, false | 0 | '' | null | undefined>> {
  const deadline = performance.now() + within;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer as Exclude<Awaited<T>, false | 0 | '' | null | undefined>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) break;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  throw new Error(`waited ${within} ms in vain for ${label}`, { cause: lastError });
}
