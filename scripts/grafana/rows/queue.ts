import { queue as queueMetrics } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines, stack } from '../panels.ts';
import { percentile, rate, selector } from '../queries.ts';

export const queue: Row = {
  title: 'The line',
  panels: [
    stack({
      title: 'Waiting, by priority',
      description: 'Requests without a slot.',
      unit: 'short',
      queries: [{ expr: `sum by (priority) (${selector(queueMetrics.depth)})`, legend: '{{priority}}' }],
    }),
    lines({
      title: 'Wait, by priority',
      description: 'One in twenty waits longer.',
      unit: 's',
      queries: [{ expr: percentile(queueMetrics.wait, 95, 'priority'), legend: '{{priority}}' }],
    }),
    stack({
      title: 'What became of claims for a slot',
      description: 'By outcome and priority.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (outcome, priority) (${rate(queueMetrics.admissions)})`,
          legend: '{{outcome}} {{priority}}',
        },
      ],
    }),
  ],
};
