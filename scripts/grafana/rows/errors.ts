import { keys, requests } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines, stack } from '../panels.ts';
import { rate } from '../queries.ts';

export const errors: Row = {
  title: 'Refusals',
  panels: [
    stack({
      title: 'Refusals by code',
      description: 'What clients were told.',
      unit: 'reqps',
      width: 12,
      queries: [{ expr: `sum by (code) (${rate(requests.errors)})`, legend: '{{code}}' }],
    }),
    lines({
      title: 'Failed, for reasons of ours',
      description: 'Of all requests to the model.',
      unit: 'percentunit',
      width: 6,
      queries: [
        {
          expr: `(sum(${rate(requests.total, 'status=~"5.."')} or ${rate(requests.total, 'outcome="broken_off"')}) or vector(0)) / sum(${rate(requests.total)})`,
          legend: 'failed',
        },
      ],
    }),
    lines({
      title: 'Wrong keys',
      description: 'Requests with a key that is unknown, expired or disabled.',
      unit: 'reqps',
      width: 6,
      queries: [{ expr: `sum(${rate(keys.failedLogins)})`, legend: 'wrong keys' }],
    }),
  ],
};
