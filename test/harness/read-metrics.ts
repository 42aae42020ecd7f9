import { expect } from 'vitest';

/** One scrape of `/metrics`. */
export interface Scrape {
  readonly text: string;
  /** The value of the series with exactly these labels; undefined if there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** The sum of all series that have at least these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
  /** The values of a label in the series of this name. */
  labelValues(name: string, label: string): string[];
}

/** Scrapes `/metrics`. The page may be a quarter of a second old. */
export async function scrape(origin: string, secret?: string): Promise<Scrape> {
  const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const response = await fetch(`${origin}/metrics`, { headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return readMetrics(await response.text());
}

export function readMetrics(text: string): Scrape {
  const series = [...text.matchAll(/^([\w:]+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name, labels = '', value]) => ({
      name,
      labels: labelsIn(labels),
      value: Number(value),
    }),
  );
  const named = (name: string, wanted: Readonly<Record<string, string>>) =>
    series.filter(
      (one) =>
        one.name === name && Object.entries(wanted).every(([label, value]) => one.labels[label] === value),
    );
  return {
    text,
    value: (name, labels = {}) =>
      named(name, labels).find((one) => Object.keys(one.labels).length === Object.keys(labels).length)?.value,
    sum: (name, labels = {}) => named(name, labels).reduce((sum, { value }) => sum + value, 0),
    labelValues: (name, label) => [...new Set(named(name, {}).map(({ labels }) => labels[label] ?? ''))],
  };
}

function labelsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', value = '']) => [label, value]),
  );
}
