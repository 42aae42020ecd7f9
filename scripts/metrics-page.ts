import { catalogue } from '../gateway/metrics/catalogue.ts';
import { type MetricDefinition, metricSections } from '../gateway/metrics/metric-definition.ts';

/** `docs/metrics.md`, made from the one place that knows the metrics. `npm run docs` writes it. */
export function metricsPage(): string {
  return `${[intro, ...metricSections.map(chapter), engine].join('\n\n')}\n`;
}

const intro = `# Metrics

What \`/metrics\` shows. This page is generated from \`gateway/metrics/catalogue.ts\` by \`npm run docs\`; [observability.md](observability.md)
says how to scrape and what to watch. Counters begin at 0 when the gateway starts.`;

const engine = `## llama-server's own

All that llama-server counts (\`llamacpp:…\`) follows under its own names, read by the gateway alone, once a second at the most and only when
something has gone to it since. Two are left out, \`llamacpp:prompt_tokens_seconds\` and \`llamacpp:predicted_tokens_seconds\`: averages since the
last question, whoever asked it. \`rate(llamacpp:tokens_predicted_total[1m])\` says the same for any time.`;

function chapter(title: string): string {
  const rows = catalogue.filter((family) => family.section === title).map(row);
  return [`## ${title}`, '', '| metric | kind | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function row({ name, type, labels, help }: MetricDefinition): string {
  const shown = labels.map((label) => `\`${label}\``).join(' ') || '–';
  return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
}
