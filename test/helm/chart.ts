import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { withFileLock } from '../../fs/file-lock.ts';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { projectFolder } from '../../scripts/project-folders.ts';
import { chezmoi } from '../services/service-catalogue.ts';
import { requireTestService } from '../services/test-service.ts';
import { chartFolder, type Rendered, renderChart, type Values } from './render-chart.ts';

export interface TestChart {
  /** False if chezmoi is missing and `ALLOW_MISSING_PEERS` allows it. */
  readonly canRender: boolean;
  readonly names: readonly string[];
  /** The chart with this set of values. */
  chart(name: string): Rendered;
  /** Renders it with changes of a set of values. */
  render(name: string, changes: Values): Promise<Rendered>;
}

/** Renders the chart with the named sets of values, by default all. */
export async function loadChart(...wanted: readonly string[]): Promise<TestChart> {
  const program = await obtainRenderer();
  const all = await testedValues();
  const sets = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const rendered = await Promise.all(
    program ? sets.map(async ({ name, values }) => [name, await renderChart(program, values)] as const) : [],
  );
  const charts = new Map(rendered);
  return {
    canRender: program !== undefined,
    names: sets.map(({ name }) => name),
    chart: (name) => required(charts.get(name), name),
    render: async (name, changes) => {
      const { values } = required(
        all.find((set) => set.name === name),
        name,
      );
      return renderChart(required(program, 'chezmoi'), mergeValues(values, changes));
    },
  };
}

/** If several test files start at once, one of them fetches it. */
async function obtainRenderer(): Promise<ProgramCommand | undefined> {
  const cache = join(projectFolder, '.cache');
  await mkdir(cache, { recursive: true });
  return withFileLock(join(cache, 'chezmoi.lock'), () => requireTestService(chezmoi));
}

function required<T>(thing: T | undefined, name: string): T {
  if (thing === undefined) throw new Error(`${name} is missing`);
  return thing;
}

export async function defaultValues(): Promise<Values> {
  return readValues('values.yaml');
}

/** All sets of values in `ci/`, by name. */
export async function testedValues(): Promise<{ name: string; changes: Values; values: Values }[]> {
  const defaults = await defaultValues();
  const files = (await readdir(join(chartFolder, 'ci'))).sort();
  return Promise.all(
    files.map(async (file) => {
      const changes = await readValues(`ci/${file}`);
      return { name: file.replace(/-values\.yaml$/, ''), changes, values: mergeValues(defaults, changes) };
    }),
  );
}

/** Merges maps and replaces everything else, as Helm does. */
export function mergeValues(values: Values, changes: Values): Values {
  const merged = Object.entries(changes).map(([name, value]) => {
    const before = values[name];
    return [name, isMap(before) && isMap(value) ? mergeValues(before, value) : value];
  });
  return { ...values, ...Object.fromEntries(merged) };
}

export function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function readValues(file: string): Promise<Values> {
  return parse(await readFile(join(chartFolder, file), 'utf8')) ?? {};
}
