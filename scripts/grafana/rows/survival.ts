import { house, requests } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines } from '../panels.ts';
import { of } from '../queries.ts';

export const survival: Row = {
  title: 'Survival',
  panels: [
    lines({
      title: 'Requests saved',
      description: 'Sent again before anything was said, or continued where the engine died.',
      unit: 'short',
      queries: [
        { expr: `sum(increase(${of(requests.replays)}[$__rate_interval]))`, legend: 'sent again' },
        { expr: `sum(increase(${of(requests.continued)}[$__rate_interval]))`, legend: 'continued' },
      ],
    }),
    lines({
      title: 'Restarts',
      description: 'Since the supervisor was started, those on purpose included.',
      unit: 'short',
      queries: [
        { expr: `sum by (instance, child) (${of(house.restarts)})`, legend: '{{instance}} {{child}}' },
      ],
    }),
    lines({
      title: 'Crashes by class',
      description: 'Since the supervisor was started.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (child, class) (${of(house.crashes)})`,
          legend: '{{child}} {{class}}',
        },
      ],
    }),
  ],
};
