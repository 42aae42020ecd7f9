import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { html, raw } from 'hono/html';
import { type Comparison, regressions } from '../compare.ts';
import { benchMetrics, formatMetric } from '../metrics.ts';
import type { Conditions, Report, StepReport } from '../report.ts';
import { differenceRow, reportNotes } from '../table.ts';
import { drawChart } from './draw-chart.ts';
import { type Chart, distributionCharts, loadCharts, timelineCharts } from './report-charts.ts';

const style = () => readFileSync(join(import.meta.dirname, 'report-style.css'), 'utf8');

/** A self-contained page without scripts and external resources. */
export async function reportPage(report: Report, comparison: Comparison | undefined): Promise<string> {
  const { conditions, steps, startedAt } = report;
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>corral bench: ${conditions.model}</title>
<style>${raw(style())}</style>
</head>
<body>
<h1>${conditions.model}</h1>
<p class="about">${conditions.url} · ${aboutRequests(conditions)} · ${startedAt.slice(0, 16).replace('T', ' ')} UTC</p>
${reportNotes(report).map((note) => html`<p class="note">${note}</p>`)}
${comparison ? comparisonSection(comparison) : ''}
<h2>Results</h2>
${resultsTable(steps)}
${errorsSection(steps)}
${charts('By load', loadCharts(steps))}
${charts('Distributions', distributionCharts(steps))}
<h2>Timeline</h2>
${steps.map((step, index) => timeline(step, index === steps.length - 1))}
</body>
</html>
`;
  return String(page);
}

function aboutRequests({ path, stream, maxTokens, durationMs, requests, prompts }: Conditions): string {
  return [
    `${stream ? 'streams' : 'requests without streaming'}, ${path} API`,
    `up to ${maxTokens} tokens`,
    prompts === null ? 'synthetic prompts' : `prompts from ${prompts.split(' ')[0]}`,
    ...(durationMs === null ? [] : [`${durationMs / 1000} s a step`]),
    ...(requests === null ? [] : [`${requests} requests a step`]),
  ].join(' · ');
}

function resultsTable(steps: readonly StepReport[]) {
  const shown = benchMetrics.filter((metric) => steps.some((step) => metric.read(step) !== null));
  return table(
    ['step', 'done', 'failed', ...shown.map(({ heading }) => heading)],
    steps.map((step) => [
      step.name,
      step.requests.done.toLocaleString('en-US'),
      step.requests.failed.toLocaleString('en-US'),
      ...shown.map((metric) => formatMetric(metric.read(step), metric.unit)),
    ]),
  );
}

const table = (headings: readonly string[], rows: readonly (readonly string[])[]) =>
  html`<div class="wide"><table>
<thead><tr>${headings.map((heading) => html`<th>${heading}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;

function errorsSection(steps: readonly StepReport[]) {
  const rows = steps.flatMap(({ name, errors }) =>
    errors.map(({ kind, count }) => [name, kind, count.toLocaleString('en-US')]),
  );
  return rows.length === 0 ? '' : html`<h2>Errors</h2>${table(['step', 'kind', 'count'], rows)}`;
}

function comparisonSection(comparison: Comparison) {
  const worse = regressions(comparison);
  if (worse.length === 0)
    return html`<h2>Against the baseline</h2><p>No regression in ${comparison.differences.length} metrics.</p>`;
  return html`<h2 class="bad">Regressions</h2>${table(
    ['step', 'metric', 'before', 'now', 'worse by', 'tolerance'],
    worse.map(differenceRow),
  )}`;
}

const charts = (title: string, all: readonly Chart[]) =>
  all.length === 0 ? '' : html`<h2>${title}</h2><div class="charts">${all.map(drawChart)}</div>`;

const timeline = (step: StepReport, isOpen: boolean) =>
  html`<details${isOpen ? raw(' open') : ''}><summary>${step.name}</summary>
<div class="charts">${timelineCharts(step).map(drawChart)}</div></details>`;
