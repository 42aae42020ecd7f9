import { backend, gpu, perKey, tokenCost } from '../../../gateway/metrics/catalogue.ts';
import { bands, bars, currentValue, lines, type Row } from '../panels.ts';
import { rate, selector } from '../queries.ts';

export const gpus: Row = {
  title: 'GPU',
  panels: [
    lines({
      title: 'Utilization',
      description: 'Share of the time; not available with MIG.',
      unit: 'percentunit',
      queries: [
        { expr: selector(gpu.utilization), legend: '{{instance}} {{gpu}}' },
        { expr: selector(gpu.memoryActivity), legend: '{{instance}} {{gpu}} memory' },
      ],
    }),
    lines({
      title: 'Memory',
      description: 'Used by all processes, and total.',
      unit: 'bytes',
      queries: [
        { expr: selector(gpu.memoryUsed), legend: '{{instance}} {{gpu}} used' },
        { expr: selector(gpu.memorySize), legend: '{{instance}} {{gpu}} size' },
      ],
    }),
    lines({
      title: 'Temperature',
      description: 'Of the GPU and of its memory.',
      unit: 'celsius',
      queries: [
        { expr: selector(gpu.temperature), legend: '{{instance}} {{gpu}}' },
        { expr: selector(gpu.memoryTemperature), legend: '{{instance}} {{gpu}} memory' },
      ],
    }),
    lines({
      title: 'Power',
      description: 'Power draw and power limit.',
      unit: 'watt',
      queries: [
        { expr: selector(gpu.power), legend: '{{instance}} {{gpu}}' },
        { expr: selector(gpu.powerLimit), legend: '{{instance}} {{gpu}} limit' },
      ],
    }),
    lines({
      title: 'Clocks',
      description: 'Of multiprocessors and memory.',
      unit: 'hertz',
      queries: [
        { expr: selector(gpu.smClock), legend: '{{instance}} {{gpu}} SM' },
        { expr: selector(gpu.memoryClock), legend: '{{instance}} {{gpu}} memory' },
      ],
    }),
    lines({
      title: 'Fans',
      description: '1 is full speed.',
      unit: 'percentunit',
      queries: [{ expr: selector(gpu.fan), legend: '{{instance}} {{gpu}}' }],
    }),
    bands({
      title: 'Throttled by',
      description: 'Reasons for lower clocks, except idling.',
      unit: 'none',
      queries: [
        {
          expr: `${selector(gpu.slowdown, 'reason!="idle"')} == 1`,
          legend: '{{instance}} {{gpu}} {{reason}}',
        },
      ],
    }),
    lines({
      title: 'Memory errors',
      description: 'Since the driver was loaded.',
      unit: 'short',
      queries: [{ expr: selector(gpu.eccErrors), legend: '{{instance}} {{gpu}} {{kind}}' }],
    }),
    bands({
      title: 'Problems',
      description: 'Why readings are missing, and what the driver requests after a fault.',
      unit: 'none',
      queries: [
        { expr: `${selector(gpu.trouble)} == 1`, legend: '{{instance}} {{trouble}}' },
        { expr: `${selector(gpu.recoveryAction)} == 1`, legend: '{{instance}} {{gpu}} requires {{action}}' },
      ],
    }),
  ],
};

export const money: Row = {
  title: 'Cost and energy',
  panels: [
    lines({
      title: 'Cost per million tokens',
      description: 'In the last five minutes, idle time included; in the currency of COST_PER_HOUR.',
      unit: 'none',
      queries: [{ expr: selector(tokenCost.cost), legend: '{{instance}} {{tokens}}' }],
    }),
    lines({
      title: 'Energy per token',
      description: 'Energy of all GPUs in the last five minutes, idle time included.',
      unit: 'joule',
      queries: [{ expr: selector(tokenCost.energy), legend: '{{instance}} {{tokens}}' }],
    }),
    lines({
      title: 'Cost per million tokens by key',
      description: 'The ten most expensive keys, output tokens.',
      unit: 'none',
      queries: [
        {
          expr: `topk(10, max by (key) (${selector(tokenCost.keyCost, 'tokens="output"')}))`,
          legend: '{{key}}',
        },
      ],
    }),
    lines({
      title: 'Energy per token by key',
      description: 'The ten highest, output tokens.',
      unit: 'joule',
      queries: [
        {
          expr: `topk(10, max by (key) (${selector(tokenCost.keyEnergy, 'tokens="output"')}))`,
          legend: '{{key}}',
        },
      ],
    }),
    currentValue({
      title: 'Cost per hour',
      description: 'COST_PER_HOUR of the selected instances.',
      unit: 'none',
      queries: [{ expr: `sum(${selector(backend.costPerHour)})`, legend: 'an hour' }],
    }),
    currentValue({
      title: 'GPU power',
      description: 'From the energy counters.',
      unit: 'watt',
      queries: [{ expr: `sum(${rate(gpu.energy)})`, legend: 'power' }],
    }),
  ],
};

const top = (expr: string) => `topk(10, sum by (key) (${expr}))`;

export const users: Row = {
  title: 'Keys',
  panels: [
    lines({
      title: 'Output tokens, top ten',
      description: 'This row needs a scrape with a key that has the scope metrics.',
      unit: 'suffix: tok/s',
      queries: [{ expr: top(rate(perKey.output)), legend: '{{key}}' }],
    }),
    lines({
      title: 'Requests, top ten',
      description: 'Including rejected ones.',
      unit: 'reqps',
      queries: [{ expr: top(rate(perKey.requests)), legend: '{{key}}' }],
    }),
    lines({
      title: 'Errors, top ten',
      description: 'A status of 400 or more, or a stream that could not be finished.',
      unit: 'reqps',
      queries: [{ expr: top(rate(perKey.errors)), legend: '{{key}}' }],
    }),
    lines({
      title: 'Share of the machine',
      description: '1 means all slots all the time.',
      unit: 'percentunit',
      queries: [{ expr: top(rate(perKey.machine)), legend: '{{key}}' }],
    }),
    bars({
      title: 'Used daily budget',
      description: 'Keys with a budget (tokensPerDay).',
      unit: 'percentunit',
      queries: [{ expr: `topk(10, max by (key) (${selector(perKey.budgetUsed)}))`, legend: '{{key}}' }],
    }),
    bars({
      title: 'Cost in this time',
      description: 'Machine time of each key, in the currency of COST_PER_HOUR.',
      unit: 'none',
      queries: [{ expr: top(`increase(${selector(perKey.cost)}[$__range])`), legend: '{{key}}' }],
    }),
  ],
};
