/** How requests are offered: so many clients that each wait for their answer, or so many requests a second, come what may. */
export type Load =
  | { readonly kind: 'closed'; readonly concurrency: number }
  | { readonly kind: 'open'; readonly rate: number; readonly arrivals: Arrivals };

export type Arrivals = 'poisson' | 'uniform';

/** One load with prompts of one length, measured on its own. */
export interface Step {
  /** Tells it from the other steps, and finds it again in an earlier report. */
  readonly name: string;
  readonly load: Load;
  /** The wanted length of made prompts; null where they come from a file. */
  readonly promptTokens: number | null;
}

/** Every load with every length of prompt: first all loads of the shortest prompts. */
export function planSteps(loads: readonly Load[], promptTokens: readonly number[] | null): Step[] {
  return (promptTokens ?? [null]).flatMap((tokens) =>
    loads.map((load) => ({ name: nameOf(load, tokens), load, promptTokens: tokens })),
  );
}

export function formatLoad(load: Load): string {
  if (load.kind === 'closed') return `concurrency ${load.concurrency}`;
  return `rate ${load.rate}/s${load.arrivals === 'uniform' ? ' uniform' : ''}`;
}

function nameOf(load: Load, tokens: number | null): string {
  return tokens === null ? formatLoad(load) : `${formatLoad(load)}, prompt ${tokens}`;
}
