import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../../scripts/project-folders.ts';
import { type CheckName, checks } from '../checks/checks.ts';
import { comparedLoads, type LoadName } from '../loads.ts';
import { resultsChart } from './chart.ts';
import { goalsTable } from './goals-table.ts';
import type { BenchResults } from './results.ts';
import { columnsOf, findingsTable, loadTable } from './tables.ts';

const page = join(projectFolder, 'docs/performance.md');
const picture = join(projectFolder, 'docs/performance.svg');

/** Writes the results into docs/performance.md, between the two marks, and the chart beside it. */
export function writePage(results: BenchResults): void {
  const svg = resultsChart(results);
  if (svg !== undefined) writeFileSync(picture, svg);
  const [before = '', after = ''] = readFileSync(page, 'utf8').split(
    /<!-- figures -->[\s\S]*<!-- end of figures -->/,
  );
  const parts = [
    `Measured on ${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}.`,
    `### Against the goals\n\n${goalsTable(results)}`,
    '![requests/s, latency and CPU beside others](performance.svg)',
    ...loadSections(results),
    ...warmUpSection(results),
    ...checkSections(results),
  ];
  const text = parts.join('\n\n');
  writeFileSync(page, `${before}<!-- figures -->\n${text}\n<!-- end of figures -->${after}`);
}

function loadSections({ loads }: BenchResults): string[] {
  return (Object.keys(comparedLoads) as LoadName[]).flatMap((name) => {
    const [load, found] = [comparedLoads[name], loads[name]];
    if (found === undefined) return [];
    const table = loadTable(columnsOf(load), found.results);
    return [`### ${load.title}\n\n${found.date}, ${found.method}.\n\n${table}`];
  });
}

function warmUpSection({ warmUps }: BenchResults): string[] {
  if (warmUps === undefined) return [];
  const table = findingsTable(warmUps.results);
  return [`### Warm-up of a fresh process\n\n${warmUps.date}, ${warmUps.method}.\n\n${table}`];
}

function checkSections({ checks: results }: BenchResults): string[] {
  return (Object.keys(checks) as CheckName[]).flatMap((name) => {
    const [{ title, description }, found] = [checks[name], results[name]];
    if (found === undefined) return [];
    const about = [found.date, description].filter((part) => part !== undefined).join('. ');
    return [`### ${title}\n\n${about.replace(/([^.])$/, '$1.')}\n\n${findingsTable(found.results)}`];
  });
}
