import { type BenchMetric, comparedMetrics } from './metrics.ts';
import type { Conditions, Report, StepReport } from './report.ts';

/** How much worse each metric may be, as a share: 0.1 is 10%. For `errors` in percentage points, 1 by default. */
export interface Tolerances {
  readonly all: number;
  readonly byMetric: ReadonlyMap<string, number>;
}

export interface Difference {
  readonly step: string;
  readonly metric: BenchMetric;
  readonly before: number;
  readonly now: number;
  /** How much worse, as a share of the earlier value; negative if better. For `errors` in percentage points. */
  readonly worseBy: number;
  readonly tolerance: number;
  readonly isRegression: boolean;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Steps that are not in the baseline. */
  readonly withoutBaseline: readonly string[];
  /** Conditions that differ from the baseline. */
  readonly differingConditions: readonly (keyof Conditions)[];
}

/** Conditions that must be equal for a meaningful comparison. */
const comparedConditions = ['path', 'model', 'stream', 'maxTokens', 'body', 'prompts'] as const;

/** Compares the steps that are complete in both reports, metric by metric; those that are too noisy in one of them are left out. */
export function compare(baseline: Report, now: Report, tolerances: Tolerances): Comparison {
  const before = new Map(completeSteps(baseline).map((step) => [step.name, step]));
  return {
    differences: completeSteps(now).flatMap((step) => {
      const earlier = before.get(step.name);
      return earlier ? differencesOf(earlier, step, tolerances) : [];
    }),
    withoutBaseline: now.steps.map(({ name }) => name).filter((name) => !before.has(name)),
    differingConditions: comparedConditions.filter(
      (name) => JSON.stringify(baseline.conditions[name]) !== JSON.stringify(now.conditions[name]),
    ),
  };
}

export function regressions({ differences }: Comparison): Difference[] {
  return differences.filter(({ isRegression }) => isRegression);
}

function differencesOf(earlier: StepReport, step: StepReport, tolerances: Tolerances): Difference[] {
  return comparedMetrics.flatMap((metric) => {
    const [before, now] = [metric.read(earlier), metric.read(step)];
    if (before === null || now === null || !metric.isSteady(earlier) || !metric.isSteady(step)) return [];
    const tolerance = toleranceOf(metric, tolerances);
    const worseBy = relativeChange(metric, before, now);
    return [{ step: step.name, metric, before, now, worseBy, tolerance, isRegression: worseBy > tolerance }];
  });
}

/** Interrupted steps are not compared. */
const completeSteps = ({ steps }: Report) => steps.filter(({ isPartial }) => !isPartial);

/** More failures are never noise. */
const ERROR_POINTS = 0.01;

/** The most specific name counts: `ttft.p95`, then `ttft`, then all. */
function toleranceOf({ name, unit }: BenchMetric, { all, byMetric }: Tolerances): number {
  const group = name.split('.')[0] ?? name;
  return byMetric.get(name) ?? byMetric.get(group) ?? (unit === 'share' ? ERROR_POINTS : all);
}

function relativeChange({ unit, better }: BenchMetric, before: number, now: number): number {
  const more = better === 'lower' ? now - before : before - now;
  if (more === 0) return 0;
  return unit === 'share' ? more : more / before;
}
