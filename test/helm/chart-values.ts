import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { chartFolder, type Values } from './render-chart.ts';

/** The chart's own values. */
export async function defaultValues(): Promise<Values> {
  return readValues('values.yaml');
}

/** Every set of values that the chart is tried with, by name. `{}` are the defaults. */
export async function triedValues(): Promise<{ name: string; changes: Values; values: Values }[]> {
  const defaults = await defaultValues();
  const files = (await readdir(join(chartFolder, 'ci'))).sort();
  return Promise.all(
    files.map(async (file) => {
      const changes = await readValues(`ci/${file}`);
      return { name: file.replace(/-values\.yaml$/, ''), changes, values: changed(defaults, changes) };
    }),
  );
}

/** As Helm does it: maps are merged, everything else is replaced. */
export function changed(values: Values, changes: Values): Values {
  const merged = Object.entries(changes).map(([name, value]) => {
    const before = values[name];
    return [name, isMap(before) && isMap(value) ? changed(before, value) : value];
  });
  return { ...values, ...Object.fromEntries(merged) };
}

export function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function readValues(file: string): Promise<Values> {
  return parse(await readFile(join(chartFolder, file), 'utf8')) ?? {};
}
