import { InvalidArgumentError } from 'commander';
import { duration, integer } from '../../settings/kinds.ts';
import type { Tolerances } from './compare.ts';
import { comparedMetrics } from './metrics.ts';

// Commander puts the option and the value in front of these messages.

/** Whole numbers from 1 up, parted by commas. */
export function counts(text: string): number[] {
  return text.split(',').map(count);
}

export function count(text: string): number {
  const value = integer(1).parse(text.trim());
  if (value === undefined) throw new InvalidArgumentError('It must be an integer ≥ 1.');
  return value;
}

export function countOrZero(text: string): number {
  const value = integer(0).parse(text);
  if (value === undefined) throw new InvalidArgumentError('It must be an integer ≥ 0.');
  return value;
}

/** Numbers above 0, parted by commas. */
export function rates(text: string): number[] {
  return text.split(',').map((word) => {
    const value = /^\s*\d+(\.\d+)?\s*$/.test(word) ? Number(word) : 0;
    if (!(value > 0))
      throw new InvalidArgumentError(
        'It must be a number of requests per second above 0, such as 10 or 0.5.',
      );
    return value;
  });
}

/** Milliseconds. */
export function durationOption(text: string): number {
  const value = duration.parse(text);
  if (value === undefined) throw new InvalidArgumentError('It must be a duration such as 10s, 500ms or 10m.');
  return value;
}

export function positiveDuration(text: string): number {
  const value = durationOption(text);
  if (value === 0) throw new InvalidArgumentError('It must be greater than 0.');
  return value;
}

/** A JSON object. */
export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError('It must be a JSON object, such as {"temperature":0}.');
  return value as Record<string, unknown>;
}

/** `10%`, or `ttft=20%,tokens=5%`, or both. */
export function tolerances(text: string): Tolerances {
  const byFigure = new Map<string, number>();
  let all = defaultTolerance;
  for (const word of text.split(',').map((part) => part.trim())) {
    const match = /^(?:([\w.]+)=)?(\d+(?:\.\d+)?)%$/.exec(word);
    if (!match) throw new InvalidArgumentError('It must be a percentage such as 10%, or ttft=20%,tokens=5%.');
    const [, name, perCent] = match;
    if (name === undefined) all = Number(perCent) / 100;
    else byFigure.set(known(name), Number(perCent) / 100);
  }
  return { all, byFigure };
}

export const defaultTolerance = 0.1;

function known(name: string): string {
  const names = comparedMetrics.map((figure) => figure.name);
  if (names.includes(name) || names.some((other) => other.startsWith(`${name}.`))) return name;
  throw new InvalidArgumentError(`Unknown metric ${name}; known: ${names.join(', ')}.`);
}
