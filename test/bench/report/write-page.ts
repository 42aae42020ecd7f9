import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../../scripts/project-folders.ts';
import { checks } from '../checks/checks.ts';
import { type ComparedLoad, comparedLoads } from '../loads.ts';
import { charts } from './charts.ts';
import { type Figures, machine } from './figures.ts';
import { findingsTable } from './findings-table.ts';
import { goalsTable } from './goals-table.ts';
import { columnsOf } from './load-columns.ts';
import { loadTable } from './load-table.ts';

const page = join(projectFolder, 'docs/performance.md');
const picture = join(projectFolder, 'docs/performance.svg');

/** Puts the figures into docs/performance.md, between their marks, and draws the charts beside it. */
export function writePage(figures: Figures): void {
  const svg = charts(figures);
  if (svg !== undefined) writeFileSync(picture, svg);
  const [before = '', after = ''] = readFileSync(page, 'utf8').split(
    /<!-- figures -->[\s\S]*<!-- end of figures -->/,
  );
  const text = figuresText(figures);
  writeFileSync(page, `${before}<!-- figures -->\n${text}\n<!-- end of figures -->${after}`);
}

/** Everything between the marks. */
export function figuresText(figures: Figures): string {
  const parts = [
    `Measured on ${machine()}.`,
    `### Against the goals\n\n${goalsTable(figures)}`,
    '![requests/s, latency and CPU beside others](performance.svg)',
    ...loadParts(figures),
    ...checkParts(figures),
  ];
  return parts.join('\n\n');
}

function loadParts({ loads }: Figures): string[] {
  return (Object.entries(comparedLoads) as [string, ComparedLoad][]).flatMap(([name, load]) => {
    const taken = loads[name];
    if (taken === undefined) return [];
    return [`### ${load.title}\n\n${taken.on}, ${taken.how}.\n\n${loadTable(columnsOf(load), taken.what)}`];
  });
}

function checkParts({ checks: found }: Figures): string[] {
  return Object.entries(checks).flatMap(([name, { title, about }]) => {
    const taken = found[name];
    if (taken === undefined) return [];
    const words = [taken.on, about].filter((part) => part !== undefined).join('. ');
    return [`### ${title}\n\n${words.replace(/([^.])$/, '$1.')}\n\n${findingsTable(taken.what)}`];
  });
}
