import { perKey } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { bars, lines } from '../panels.ts';
import { rate, selector } from '../queries.ts';

const top = (expr: string) => `topk(10, sum by (key) (${expr}))`;

export const users: Row = {
  title: 'Keys',
  panels: [
    lines({
      title: 'Tokens of output, the ten that use most',
      description: 'For all of this row the scrape needs a key with the scope metrics.',
      unit: 'suffix: tok/s',
      queries: [{ expr: top(rate(perKey.output)), legend: '{{key}}' }],
    }),
    lines({
      title: 'Requests, the ten that ask most',
      description: 'Refused ones included.',
      unit: 'reqps',
      queries: [{ expr: top(rate(perKey.requests)), legend: '{{key}}' }],
    }),
    lines({
      title: 'Errors, the ten that have most',
      description: 'A status of 400 or more, or a stream that could not be finished.',
      unit: 'reqps',
      queries: [{ expr: top(rate(perKey.errors)), legend: '{{key}}' }],
    }),
    lines({
      title: 'Share of the machine',
      description: '1 is all slots all the time.',
      unit: 'percentunit',
      queries: [{ expr: top(rate(perKey.machine)), legend: '{{key}}' }],
    }),
    bars({
      title: 'Used of today’s tokens',
      description: 'Of keys that have a budget (tokensPerDay).',
      unit: 'percentunit',
      queries: [{ expr: `topk(10, max by (key) (${selector(perKey.budgetUsed)}))`, legend: '{{key}}' }],
    }),
    bars({
      title: 'Money in this time',
      description: 'For the machine’s time that a key had; in the currency of COST_PER_HOUR.',
      unit: 'none',
      queries: [{ expr: top(`increase(${selector(perKey.cost)}[$__range])`), legend: '{{key}}' }],
    }),
  ],
};
