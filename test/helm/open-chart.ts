import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../keys/file-lock.ts';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { projectFolder } from '../../scripts/project-folders.ts';
import { chezmoi } from '../services/service-catalogue.ts';
import { requireTestService } from '../services/test-service.ts';
import { changed, triedValues } from './chart-values.ts';
import { type Rendered, renderChart, type Values } from './render-chart.ts';

export interface OpenChart {
  /** False where nothing renders it on this machine, and that is allowed. */
  readonly canRender: boolean;
  /** The names of the sets of values. */
  readonly names: readonly string[];
  /** What was rendered with one of them. */
  chart(name: string): Rendered;
  /** Renders with changes of one of them. */
  render(name: string, changes: Values): Promise<Rendered>;
}

/** The chart rendered with these sets of values; without names with all there are. */
export async function openChart(...wanted: readonly string[]): Promise<OpenChart> {
  const program = await renderer();
  const all = await triedValues();
  const sets = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const rendered = await Promise.all(
    program ? sets.map(async ({ name, values }) => [name, await renderChart(program, values)] as const) : [],
  );
  const charts = new Map(rendered);
  return {
    canRender: program !== undefined,
    names: sets.map(({ name }) => name),
    chart: (name) => found(charts.get(name), name),
    render: async (name, changes) => {
      const { values } = found(
        all.find((set) => set.name === name),
        name,
      );
      return renderChart(found(program, 'chezmoi'), changed(values, changes));
    },
  };
}

/** Of several test files that begin at once, one fetches it. */
async function renderer(): Promise<ProgramCommand | undefined> {
  const cache = join(projectFolder, '.cache');
  await mkdir(cache, { recursive: true });
  return withFileLock(join(cache, 'chezmoi.lock'), () => requireTestService(chezmoi));
}

function found<Thing>(thing: Thing | undefined, name: string): Thing {
  if (thing === undefined) throw new Error(`there is no ${name}`);
  return thing;
}
