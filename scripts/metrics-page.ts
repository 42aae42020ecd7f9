import { catalogue, type MetricDefinition, metricSections } from '../gateway/metrics/catalogue.ts';

/** The text of `docs/metrics.md`; `npm run docs` writes it. */
export function metricsPage(): string {
  return `${[intro, ...metricSections.map(renderSection), engine].join('\n\n')}\n`;
}

const intro = `# Metrics

The metrics that \`/metrics\` serves. This page is generated from \`gateway/metrics/catalogue.ts\` by \`npm run docs\`;
[observability.md](observability.md) explains how to scrape them and what to watch. Counters start at 0 when the gateway starts.`;

const engine = `## llama-server's own metrics

The metrics of llama-server (\`llamacpp:…\`) follow under their own names. The gateway reads them at most once per second, and only if requests
have been sent to llama-server since the last reading. \`llamacpp:prompt_tokens_seconds\` and \`llamacpp:predicted_tokens_seconds\` are left out:
they are averages since the last reading by any reader. \`rate(llamacpp:tokens_predicted_total[1m])\` gives the same for any period. With
several models they have the label \`model\`, and \`replica\` for a model with several engines.`;

function renderSection(title: string): string {
  const rows = catalogue.filter((metric) => metric.section === title).map(renderRow);
  return [`## ${title}`, '', '| metric | kind | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function renderRow({ name, type, labels, help }: MetricDefinition): string {
  const shown = labels.map((label) => `\`${label}\``).join(' ') || '–';
  return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
}
