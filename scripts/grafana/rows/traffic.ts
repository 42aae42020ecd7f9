import { generation, requests } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines, stack } from '../panels.ts';
import { mean, rate } from '../queries.ts';

export const traffic: Row = {
  title: 'Traffic',
  panels: [
    stack({
      title: 'Requests by status',
      description: 'What clients got; 499 is one that left.',
      unit: 'reqps',
      queries: [{ expr: `sum by (status) (${rate(requests.total)})`, legend: '{{status}}' }],
    }),
    stack({
      title: 'Requests by how they ended',
      description: 'broken_off: an answer under way could not be finished.',
      unit: 'reqps',
      queries: [{ expr: `sum by (outcome) (${rate(requests.total)})`, legend: '{{outcome}}' }],
    }),
    stack({
      title: 'Requests by route',
      description: 'All names of a route together, under the first.',
      unit: 'reqps',
      queries: [{ expr: `sum by (route) (${rate(requests.total)})`, legend: '{{route}}' }],
    }),
    lines({
      title: 'Tokens',
      description:
        'Cached ones are part of the input, and cost next to nothing. Counted when a request ends.',
      unit: 'suffix: tok/s',
      queries: [
        { expr: `sum(${rate(generation.input)})`, legend: 'input' },
        { expr: `sum(${rate(generation.cached)})`, legend: 'cached' },
        { expr: `sum(${rate(generation.output)})`, legend: 'output' },
      ],
    }),
    lines({
      title: 'Tokens of a request',
      description: 'On average.',
      unit: 'suffix: tok',
      queries: [
        { expr: mean(generation.usage, 'gen_ai_token_type="input"'), legend: 'input' },
        { expr: mean(generation.usage, 'gen_ai_token_type="output"'), legend: 'output' },
      ],
    }),
    lines({
      title: 'Bytes of answers',
      description: 'Passed on to clients.',
      unit: 'Bps',
      queries: [{ expr: `sum(${rate(requests.bytes)})`, legend: 'bytes' }],
    }),
  ],
};
