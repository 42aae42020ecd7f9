import {
  endpointPicker,
  generation,
  queue,
  queue as queueMetrics,
  requests,
  responseCache,
} from '../../../gateway/metrics/catalogue.ts';
import { lines, type Row, stack } from '../panels.ts';
import { mean, percentile, percentiles, rate, selector } from '../queries.ts';

export const traffic: Row = {
  title: 'Traffic',
  panels: [
    stack({
      title: 'Requests by status',
      description: '499: the client disconnected.',
      unit: 'reqps',
      queries: [{ expr: `sum by (status) (${rate(requests.total)})`, legend: '{{status}}' }],
    }),
    stack({
      title: 'Requests by outcome',
      description: 'broken_off: a started response could not be finished.',
      unit: 'reqps',
      queries: [{ expr: `sum by (outcome) (${rate(requests.total)})`, legend: '{{outcome}}' }],
    }),
    stack({
      title: 'Requests by route',
      description: 'All paths of a route count under its first path.',
      unit: 'reqps',
      queries: [{ expr: `sum by (route) (${rate(requests.total)})`, legend: '{{route}}' }],
    }),
    stack({
      title: 'Response cache',
      description:
        'Requests to the model by what the cache did; this panel has data only with a response cache (RESPONSE_CACHE).',
      unit: 'reqps',
      queries: [{ expr: `sum by (result) (${rate(responseCache.requests)})`, legend: '{{result}}' }],
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
      title: 'Tokens per request',
      description: 'Average.',
      unit: 'suffix: tok',
      queries: [
        { expr: mean(generation.usage, 'gen_ai_token_type="input"'), legend: 'input' },
        { expr: mean(generation.usage, 'gen_ai_token_type="output"'), legend: 'output' },
      ],
    }),
    lines({
      title: 'Response bytes',
      description: 'Sent to clients.',
      unit: 'Bps',
      queries: [{ expr: `sum(${rate(requests.bytes)})`, legend: 'bytes' }],
    }),
  ],
};

export const speed: Row = {
  title: 'Latency',
  panels: [
    lines({
      title: 'Time to first token',
      description: 'Streams, from the arrival of the request, including the queue.',
      unit: 's',
      queries: percentiles(generation.firstToken),
    }),
    lines({
      title: 'Time per token',
      description: 'Completed streams, after the first token.',
      unit: 's',
      queries: percentiles(generation.perToken),
    }),
    lines({
      title: 'Request duration',
      description: 'From the arrival of the request to the end of the response.',
      unit: 's',
      queries: percentiles(generation.duration),
    }),
    lines({
      title: 'Means',
      description: 'Exact, without the buckets of percentiles.',
      unit: 's',
      queries: [
        { expr: mean(generation.firstToken), legend: 'first token' },
        { expr: mean(generation.duration), legend: 'duration' },
        { expr: mean(queue.wait), legend: 'wait in line' },
      ],
    }),
    lines({
      title: 'Tokens per second of one stream',
      description: 'The speed that a reader sees.',
      unit: 'suffix: tok/s',
      queries: [{ expr: `1 / (${mean(generation.perToken)})`, legend: 'a stream' }],
    }),
    lines({
      title: 'Draft tokens accepted',
      description: 'By model; this panel has data only with speculative decoding (SPECULATE).',
      unit: 'percentunit',
      queries: [
        {
          expr: `sum by (model) (${rate(generation.accepted)}) / sum by (model) (${rate(generation.drafted)})`,
          legend: '{{model}}',
        },
      ],
    }),
    lines({
      title: 'Running requests',
      description: 'Including queued ones.',
      unit: 'short',
      queries: [{ expr: `sum(${selector(requests.inFlight)})`, legend: 'under way' }],
    }),
  ],
};

export const queueRow: Row = {
  title: 'Queue',
  panels: [
    stack({
      title: 'Queued requests by priority',
      description: 'Requests waiting for a slot.',
      unit: 'short',
      queries: [{ expr: `sum by (priority) (${selector(queueMetrics.depth)})`, legend: '{{priority}}' }],
    }),
    lines({
      title: 'Queue time by priority, p95',
      description: '5% of the requests wait longer.',
      unit: 's',
      queries: [{ expr: percentile(queueMetrics.wait, 95, 'priority'), legend: '{{priority}}' }],
    }),
    stack({
      title: 'Admissions',
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
      description: 'Used and total; 0 while llama-server cannot serve.',
      unit: 'short',
      queries: [
        { expr: `sum(${selector(queue.leased)})`, legend: 'held' },
        { expr: `sum(${selector(queue.slots)})`, legend: 'there' },
      ],
    }),
    lines({
      title: 'Context in use',
      description: 'By running requests, as a share of all slots.',
      unit: 'percentunit',
      queries: [{ expr: selector(endpointPicker.cacheInUse), legend: '{{instance}}' }],
    }),
    lines({
      title: 'llama-server token rate',
      description: 'From llama-server: generated tokens, and processed prompt tokens.',
      unit: 'suffix: tok/s',
      queries: [
        { expr: `sum(${rate({ name: 'llamacpp:tokens_predicted_total' })})`, legend: 'written' },
        { expr: `sum(${rate({ name: 'llamacpp:prompt_tokens_total' })})`, legend: 'read' },
      ],
    }),
  ],
};
