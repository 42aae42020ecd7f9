import { requests, system } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines } from '../panels.ts';
import { selector } from '../queries.ts';

export const survival: Row = {
  title: 'Survival',
  panels: [
    lines({
      title: 'Requests saved',
      description: 'Sent again before anything was said, or continued where the engine died.',
      unit: 'short',
      queries: [
        { expr: `sum(increase(${selector(requests.replays)}[$__rate_interval]))`, legend: 'sent again' },
        { expr: `sum(increase(${selector(requests.resumed)}[$__rate_interval]))`, legend: 'continued' },
      ],
    }),
    lines({
      title: 'Restarts',
      description: 'Since the supervisor was started, those on purpose included.',
      unit: 'short',
      queries: [
        { expr: `sum by (instance, child) (${selector(system.restarts)})`, legend: '{{instance}} {{child}}' },
      ],
    }),
    lines({
      title: 'Crashes by class',
      description: 'Since the supervisor was started.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (child, class) (${selector(system.crashes)})`,
          legend: '{{child}} {{class}}',
        },
      ],
    }),
  ],
};
