import { writeFile } from 'node:fs/promises';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import type { BenchOptions } from './bench-options.ts';
import type { Comparison } from './compare.ts';
import { reportPage } from './html/report-page.ts';
import { reportNotes } from './notes.ts';
import type { Report } from './report.ts';
import { writeReport } from './report-file.ts';
import { comparisonTable, errorTable, reportTable } from './table.ts';

/** Figures to stdout and into the files that were asked for, words to stderr. */
export async function printReport(
  report: Report,
  comparison: Comparison | undefined,
  { json, html, save }: Pick<BenchOptions, 'json' | 'html' | 'save'>,
): Promise<void> {
  if (json) writeJson(report);
  else if (report.steps.length > 0)
    for (const table of [reportTable(report), errorTable(report)]) if (table !== '') writeStdout(table);
  for (const words of reportNotes(report)) writeStderr(words);
  if (comparison) tell(comparison, json);
  if (save !== undefined) await writeReport(save, report);
  if (html !== undefined) await writeFile(html, await reportPage(report, comparison));
}

function tell(comparison: Comparison, json: true | undefined): void {
  const { withoutBaseline, otherConditions } = comparison;
  if (otherConditions.length > 0)
    writeStderr(`The baseline was measured with different settings: ${otherConditions.join(', ')}.`);
  if (withoutBaseline.length > 0) writeStderr(`Not in the baseline: ${withoutBaseline.join('; ')}.`);
  (json ? writeStderr : writeStdout)(comparisonTable(comparison));
}
