import { type BenchMetric, comparedMetrics } from './metrics.ts';
import type { Conditions, Report, StepReport } from './report.ts';

/** By how much each figure may be worse, as a share: 0.1 is a tenth. Of `errors` it is in points, and one where not named. */
export interface Tolerances {
  readonly all: number;
  readonly byFigure: ReadonlyMap<string, number>;
}

export interface Difference {
  readonly step: string;
  readonly figure: BenchMetric;
  readonly before: number;
  readonly now: number;
  /** By what share of before it is worse; less than nothing where it is better. Of `errors` in points. */
  readonly worseBy: number;
  readonly tolerance: number;
  readonly isRegression: boolean;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Steps that the baseline does not have. */
  readonly withoutBaseline: readonly string[];
  /** What was asked otherwise than then. */
  readonly otherConditions: readonly (keyof Conditions)[];
}

/** Conditions without which the figures mean another thing. */
const tellingConditions = ['path', 'model', 'stream', 'maxTokens', 'body', 'prompts'] as const;

export function compare(baseline: Report, now: Report, tolerances: Tolerances): Comparison {
  const before = new Map(wholeSteps(baseline).map((step) => [step.name, step]));
  return {
    differences: wholeSteps(now).flatMap((step) => {
      const earlier = before.get(step.name);
      return earlier ? differencesOf(earlier, step, tolerances) : [];
    }),
    withoutBaseline: now.steps.map(({ name }) => name).filter((name) => !before.has(name)),
    otherConditions: tellingConditions.filter(
      (name) => JSON.stringify(baseline.conditions[name]) !== JSON.stringify(now.conditions[name]),
    ),
  };
}

export function regressions({ differences }: Comparison): Difference[] {
  return differences.filter(({ isRegression }) => isRegression);
}

function differencesOf(earlier: StepReport, step: StepReport, tolerances: Tolerances): Difference[] {
  return comparedMetrics.flatMap((figure) => {
    const [before, now] = [figure.read(earlier), figure.read(step)];
    if (before === null || now === null) return [];
    const tolerance = toleranceOf(figure, tolerances);
    const worseBy = worsening(figure, before, now);
    return [{ step: step.name, figure, before, now, worseBy, tolerance, isRegression: worseBy > tolerance }];
  });
}

/** What was broken off says too little. */
const wholeSteps = ({ steps }: Report) => steps.filter(({ isPartial }) => !isPartial);

/** More failures than before are no noise. */
const ERROR_POINTS = 0.01;

/** The most exact name counts: `ttft.p95` before `ttft` before all. */
function toleranceOf({ name, unit }: BenchMetric, { all, byFigure }: Tolerances): number {
  const family = name.split('.')[0] ?? name;
  return byFigure.get(name) ?? byFigure.get(family) ?? (unit === 'share' ? ERROR_POINTS : all);
}

function worsening({ unit, better }: BenchMetric, before: number, now: number): number {
  const more = better === 'lower' ? now - before : before - now;
  if (more === 0) return 0;
  return unit === 'share' ? more : more / before;
}
