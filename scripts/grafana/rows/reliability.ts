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
  title: 'Health and standing',
  panels: [
    statusText({
      title: 'Standing',
      description: 'What the gateway knows of llama-server.',
      unit: 'none',
      queries: [{ expr: `max by (standing) (${selector(backend.status)} == 1)`, legend: '{{standing}}' }],
    }),
    statusText({
      title: 'The house',
      description: 'What the supervisor says of the whole; nothing where the gateway runs alone.',
      unit: 'none',
      queries: [{ expr: `max by (standing) (${selector(system.status)} == 1)`, legend: '{{standing}}' }],
    }),
    currentValue({
      title: 'Tokens a second',
      description: 'Of output, all requests together.',
      unit: 'suffix: tok/s',
      queries: [{ expr: `sum(${rate(generation.output)})`, legend: 'output' }],
    }),
    currentValue({
      title: 'First token, 95 %',
      description: 'Of streams, from the arrival of the request, waiting included.',
      unit: 's',
      queries: [{ expr: percentile(generation.firstToken, 95), legend: '95 %' }],
    }),
    currentValue({
      title: 'In line',
      description: 'Requests that wait for a slot.',
      unit: 'short',
      queries: [{ expr: `sum(${selector(queue.depth)})`, legend: 'waiting' }],
    }),
    currentValue({
      title: 'Slots in use',
      description: 'Of those that there are.',
      unit: 'percentunit',
      queries: [{ expr: `sum(${selector(queue.leased)}) / sum(${selector(queue.slots)})`, legend: 'in use' }],
    }),
    bands({
      title: 'Standing over time',
      description: 'Of each machine.',
      unit: 'none',
      width: 12,
      queries: [{ expr: `${selector(backend.status)} == 1`, legend: '{{instance}} {{standing}}' }],
    }),
    currentValue({
      title: 'Model loaded in',
      description: 'From the start of the process, the first time.',
      unit: 's',
      queries: [{ expr: `max(${selector(system.loadTime)})`, legend: 'load time' }],
    }),
    currentValue({
      title: 'Gateway up for',
      description: 'The youngest of those chosen.',
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
      title: 'How late the gateway is',
      description: 'Its event loop, in the last 15 s.',
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
      description: 'Resident, and the JavaScript heap in it.',
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

export const trouble: Row = {
  title: 'Limits, ledger and keys',
  panels: [
    bands({
      title: 'Limits hold',
      description: 'Together with other gateways, alone while Redis is away, or off: no Redis.',
      unit: 'none',
      queries: [{ expr: `${selector(queue.limitsSharing)} == 1`, legend: '{{instance}} {{sharing}}' }],
    }),
    lines({
      title: 'In trouble',
      description: '1 while the ledger cannot be written, while the key file cannot be used.',
      unit: 'short',
      queries: [
        { expr: selector(keys.ledgerDegraded), legend: '{{instance}} ledger' },
        { expr: selector(keys.broken), legend: '{{instance}} key file' },
      ],
    }),
    lines({
      title: 'Failures',
      description: 'Readings of the key file that failed; times that Redis went away.',
      unit: 'short',
      queries: [
        { expr: `sum(increase(${selector(keys.failures)}[$__rate_interval]))`, legend: 'key file' },
        { expr: `sum(increase(${selector(queue.limitsFallbacks)}[$__rate_interval]))`, legend: 'Redis' },
      ],
    }),
    lines({
      title: 'Keys',
      description: 'By state, and those that need care.',
      unit: 'short',
      queries: [
        { expr: `sum by (state) (${selector(keys.count)})`, legend: '{{state}}' },
        { expr: `sum(${selector(keys.expiring)})`, legend: 'expire soon' },
        { expr: `sum(${selector(keys.oldSecrets)})`, legend: 'with an old secret' },
      ],
    }),
    lines({
      title: 'Open files',
      description: 'Of the gateway, connections included.',
      unit: 'short',
      queries: [{ expr: selector(gatewayProcess.openFiles), legend: '{{instance}}' }],
    }),
  ],
};
