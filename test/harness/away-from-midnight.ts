const DAY = 86_400_000;
/** Longer than any test of usage and budgets takes on a busy machine. */
const MARGIN = 120_000;

/** The time until the next day (UTC) if this one is almost over, else 0. */
export function waitForNextDay(now: number): number {
  const left = DAY - (now % DAY);
  return left < MARGIN ? left : 0;
}

/** Runs before each test file: usage and budgets are counted per day, so no test may begin on one and end on another. */
const wait = waitForNextDay(Date.now());
if (wait > 0) {
  console.error(`waiting ${Math.ceil(wait / 1000)} s for the next day (UTC)`);
  await new Promise((resolve) => setTimeout(resolve, wait));
}
