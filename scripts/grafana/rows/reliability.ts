import {
  backend,
  gatewayProcess,
  generation,
  keys,
  queue,
  requests,
  system,
  volume,
} from '../../../gateway/metrics/catalogue.ts';
import { bands, currentValue, lines, type Row, stack, statusText } from '../panels.ts';
import { percentile, rate, selector } from '../queries.ts';

export const health: Row = {
  title: 'Health and status',
  panels: [
    statusText({
      title: 'Status',
      description: 'Status of llama-server, as seen by the gateway.',
      unit: 'none',
      queries: [{ expr: `max by (standing) (${selector(backend.status)} == 1)`, legend: '{{standing}}' }],
    }),
    statusText({
      title: 'System status',
      description: 'From the supervisor; empty if the gateway runs alone.',
      unit: 'none',
      queries: [{ expr: `max by (standing) (${selector(system.status)} == 1)`, legend: '{{standing}}' }],
    }),
    currentValue({
      title: 'Tokens per second',
      description: 'Output tokens of all requests.',
      unit: 'suffix: tok/s',
      queries: [{ expr: `sum(${rate(generation.output)})`, legend: 'output' }],
    }),
    currentValue({
      title: 'Time to first token, p95',
      description: 'Streams, from the arrival of the request, including the queue.',
      unit: 's',
      queries: [{ expr: percentile(generation.firstToken, 95), legend: '95 %' }],
    }),
    currentValue({
      title: 'Queue',
      description: 'Requests waiting for a slot.',
      unit: 'short',
      queries: [{ expr: `sum(${selector(queue.depth)})`, legend: 'waiting' }],
    }),
    currentValue({
      title: 'Slots in use',
      description: 'Of all slots.',
      unit: 'percentunit',
      queries: [{ expr: `sum(${selector(queue.leased)}) / sum(${selector(queue.slots)})`, legend: 'in use' }],
    }),
    bands({
      title: 'Status over time',
      description: 'Of each instance.',
      unit: 'none',
      width: 12,
      queries: [{ expr: `${selector(backend.status)} == 1`, legend: '{{instance}} {{standing}}' }],
    }),
    currentValue({
      title: 'Model load time',
      description: 'From the first start of the process.',
      unit: 's',
      queries: [{ expr: `max(${selector(system.loadTime)})`, legend: 'load time' }],
    }),
    currentValue({
      title: 'Gateway uptime',
      description: 'The latest start of the selected instances.',
      unit: 's',
      queries: [{ expr: `time() - max(${selector(gatewayProcess.startedAt)})`, legend: 'up' }],
    }),
    statusText({
      title: 'Version',
      description: 'llama-corral, Node and llama-server.',
      unit: 'none',
      queries: [
        {
          expr: `max by (version, node, engine) (${selector(gatewayProcess.build)})`,
          legend: '{{version}} · Node {{node}} · {{engine}}',
        },
      ],
    }),
    lines({
      title: 'Event loop delay of the gateway',
      description: 'In the last 15 s.',
      unit: 's',
      width: 6,
      queries: [
        { expr: selector(gatewayProcess.lagMedian), legend: '{{instance}} median' },
        { expr: selector(gatewayProcess.lagTail), legend: '{{instance}} 99 %' },
        { expr: selector(gatewayProcess.lagMax), legend: '{{instance}} worst' },
      ],
    }),
    lines({
      title: 'Memory of the gateway',
      description: 'Resident memory, and the JavaScript heap in it.',
      unit: 'bytes',
      width: 6,
      queries: [
        { expr: selector(gatewayProcess.resident), legend: '{{instance}} resident' },
        { expr: selector(gatewayProcess.heap), legend: '{{instance}} heap' },
      ],
    }),
    lines({
      title: 'CPU of the gateway',
      description: '1 is one core.',
      unit: 'short',
      width: 6,
      queries: [
        { expr: rate(gatewayProcess.cpu), legend: '{{instance}} CPU' },
        { expr: selector(gatewayProcess.busy), legend: '{{instance}} event loop' },
      ],
    }),
    lines({
      title: 'Volume of DATA_DIR',
      description: 'Ledger, crash files, and by default logs and models.',
      unit: 'bytes',
      width: 6,
      queries: [
        { expr: selector(volume.free), legend: '{{instance}} free' },
        { expr: selector(volume.size), legend: '{{instance}} size' },
      ],
    }),
  ],
};

export const errors: Row = {
  title: 'Errors',
  panels: [
    stack({
      title: 'Errors by code',
      description: 'Error codes sent to clients.',
      unit: 'reqps',
      width: 12,
      queries: [{ expr: `sum by (code) (${rate(requests.errors)})`, legend: '{{code}}' }],
    }),
    lines({
      title: 'Server errors',
      description: 'Share of all requests to the model.',
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
      title: 'Invalid keys',
      description: 'Requests with a key that is unknown, expired or disabled.',
      unit: 'reqps',
      width: 6,
      queries: [{ expr: `sum(${rate(keys.failedLogins)})`, legend: 'wrong keys' }],
    }),
  ],
};

export const survival: Row = {
  title: 'Crashes and recovery',
  panels: [
    lines({
      title: 'Requests saved',
      description: 'Sent again before any output, or continued after a crash.',
      unit: 'short',
      queries: [
        { expr: `sum(increase(${selector(requests.replays)}[$__rate_interval]))`, legend: 'sent again' },
        { expr: `sum(increase(${selector(requests.resumed)}[$__rate_interval]))`, legend: 'continued' },
      ],
    }),
    lines({
      title: 'Restarts',
      description: 'Since the supervisor was started, including requested ones.',
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

export const trouble: Row = {
  title: 'Limits, ledger and keys',
  panels: [
    bands({
      title: 'Scope of limits',
      description: 'Shared with other gateways, local while Redis is unreachable, or off without Redis.',
      unit: 'none',
      queries: [{ expr: `${selector(queue.limitsSharing)} == 1`, legend: '{{instance}} {{sharing}}' }],
    }),
    lines({
      title: 'Problems',
      description: '1 while the ledger cannot be written or the key file cannot be used.',
      unit: 'short',
      queries: [
        { expr: selector(keys.ledgerDegraded), legend: '{{instance}} ledger' },
        { expr: selector(keys.broken), legend: '{{instance}} key file' },
      ],
    }),
    lines({
      title: 'Failures',
      description: 'Failed readings of the key file; lost connections to Redis.',
      unit: 'short',
      queries: [
        { expr: `sum(increase(${selector(keys.failures)}[$__rate_interval]))`, legend: 'key file' },
        { expr: `sum(increase(${selector(queue.limitsFallbacks)}[$__rate_interval]))`, legend: 'Redis' },
      ],
    }),
    lines({
      title: 'Keys',
      description: 'By state, and those that need attention.',
      unit: 'short',
      queries: [
        { expr: `sum by (state) (${selector(keys.count)})`, legend: '{{state}}' },
        { expr: `sum(${selector(keys.expiring)})`, legend: 'expire soon' },
        { expr: `sum(${selector(keys.oldSecrets)})`, legend: 'with an old secret' },
      ],
    }),
    lines({
      title: 'Open files',
      description: 'Of the gateway, including connections.',
      unit: 'short',
      queries: [{ expr: selector(gatewayProcess.openFiles), legend: '{{instance}}' }],
    }),
  ],
};
