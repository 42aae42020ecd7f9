import type { Key, KeyLimits } from '../../keys/key.ts';
import { phasesOf } from '../../keys/temporary-limits.ts';
import { formatTime } from '../format-values.ts';

/** The option for each limit, and its unit. */
export const limitOptions = [
  { option: 'rpm', name: 'requestsPerMinute', unit: 'requests/min' },
  { option: 'tpm', name: 'tokensPerMinute', unit: 'tokens/min' },
  { option: 'tpd', name: 'tokensPerDay', unit: 'tokens/day' },
  { option: 'concurrent', name: 'concurrent', unit: 'concurrent' },
] as const satisfies readonly { readonly name: keyof KeyLimits; readonly [field: string]: string }[];

type LimitName = keyof KeyLimits;
type LimitsOf = 'limits' | 'userLimits';

/** `60 requests/min, 200000 tokens/day until 2026-12-01 00:00Z`: what the key itself has now; the defaults are in the settings. */
export function formatLimits(key: Key, now: number): string {
  return currentLimits(key, 'limits', now) || '-';
}

/** `5 requests/min, 1 concurrent`: those of each user of the key. */
export function formatUserLimits(key: Key, now: number): string {
  return currentLimits(key, 'userLimits', now) || 'none';
}

function currentLimits(key: Key, of: LimitsOf, now: number): string {
  const own = limitOptions.flatMap(({ name, unit }) => {
    const [current] = stepsOf(key, of, name, now);
    return current === undefined || current.value === undefined ? [] : [formatStep(current, ` ${unit}`)];
  });
  return own.join(', ');
}

/** `200000 until 2026-12-01 00:00Z, then 100000`: one limit of the key, or of each of its users, now and later. */
export function formatLimit(key: Key, of: LimitsOf, name: LimitName, now: number): string {
  return stepsOf(key, of, name, now)
    .map((step) => formatStep(step))
    .join(', then ');
}

interface Step {
  readonly value: number | undefined;
  /** Infinity: it has no end. */
  readonly until: number;
}

/** The values of a limit from now on. */
function stepsOf(key: Key, of: LimitsOf, name: LimitName, now: number): readonly Step[] {
  const phases = [...phasesOf(key).filter(({ until }) => now < until), { until: Infinity, key }];
  const steps = phases.map((phase) => ({ value: phase.key[of][name], until: phase.until }));
  return steps.filter(({ value }, index) => index === steps.length - 1 || value !== steps[index + 1]?.value);
}

function formatStep({ value, until }: Step, unit = ''): string {
  const text = value === undefined ? 'default' : `${value === 0 ? 'unlimited' : value}${unit}`;
  return until === Infinity ? text : `${text} until ${formatTime(until, '')}`;
}
