import {
  endpointPicker,
  generation,
  queue,
  queue as queueMetrics,
  requests,
} from '../../../gateway/metrics/catalogue.ts';
import { lines, type Row, stack } from '../panels.ts';
import { mean, percentile, percentiles, rate, selector } from '../queries.ts';

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

export const queueRow: Row = {
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

export const slots: Row = {
  title: 'Slots',
  panels: [
    lines({
      title: 'Slots',
      description: 'Held by requests, and all that there are; 0 while llama-server cannot serve.',
      unit: 'short',
      queries: [
        { expr: `sum(${selector(queue.leased)})`, legend: 'held' },
        { expr: `sum(${selector(queue.slots)})`, legend: 'there' },
      ],
    }),
    lines({
      title: 'Context in use',
      description: 'By running requests, of that of all slots.',
      unit: 'percentunit',
      queries: [{ expr: selector(endpointPicker.cacheInUse), legend: '{{instance}}' }],
    }),
    lines({
      title: 'By its own count',
      description: 'Of llama-server: tokens it wrote, and tokens it read anew.',
      unit: 'suffix: tok/s',
      queries: [
        { expr: `sum(${rate({ name: 'llamacpp:tokens_predicted_total' })})`, legend: 'written' },
        { expr: `sum(${rate({ name: 'llamacpp:prompt_tokens_total' })})`, legend: 'read' },
      ],
    }),
  ],
};
