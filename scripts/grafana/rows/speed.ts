import { generation, queue, requests } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines } from '../panels.ts';
import { mean, percentiles, selector } from '../queries.ts';

export const speed: Row = {
  title: 'How fast',
  panels: [
    lines({
      title: 'Time to the first token',
      description: 'Of streams, from the arrival of the request, waiting included.',
      unit: 's',
      queries: percentiles(generation.firstToken),
    }),
    lines({
      title: 'Time per token',
      description: 'Of completed streams, after the first token.',
      unit: 's',
      queries: percentiles(generation.perToken),
    }),
    lines({
      title: 'Duration of a request',
      description: 'From its arrival to the end of its answer.',
      unit: 's',
      queries: percentiles(generation.duration),
    }),
    lines({
      title: 'Means',
      description: 'Without the buckets of the percentiles, so to the point.',
      unit: 's',
      queries: [
        { expr: mean(generation.firstToken), legend: 'first token' },
        { expr: mean(generation.duration), legend: 'duration' },
        { expr: mean(queue.wait), legend: 'wait in line' },
      ],
    }),
    lines({
      title: 'Tokens a second of one stream',
      description: 'How fast the words come to a reader.',
      unit: 'suffix: tok/s',
      queries: [{ expr: `1 / (${mean(generation.perToken)})`, legend: 'a stream' }],
    }),
    lines({
      title: 'Requests under way',
      description: 'Waiting ones included.',
      unit: 'short',
      queries: [{ expr: `sum(${selector(requests.inFlight)})`, legend: 'under way' }],
    }),
  ],
};
