import { backend, gpu, perKey, tokenCost } from '../../../gateway/metrics/catalogue.ts';
import { bands, bars, currentValue, lines, type Row } from '../panels.ts';
import { rate, selector } from '../queries.ts';

export const gpus: Row = {
  title: 'GPU',
  panels: [
    lines({
      title: 'At work',
      description: 'The part of the time; with MIG nobody knows.',
      unit: 'percentunit',
      queries: [
        { expr: selector(gpu.utilization), legend: '{{instance}} {{gpu}}' },
        { expr: selector(gpu.memoryActivity), legend: '{{instance}} {{gpu}} memory' },
      ],
    }),
    lines({
      title: 'Memory',
      description: 'In use, by whomever, and all.',
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
      description: 'Drawn, and what may be drawn.',
      unit: 'watt',
      queries: [
        { expr: selector(gpu.power), legend: '{{instance}} {{gpu}}' },
        { expr: selector(gpu.powerLimit), legend: '{{instance}} {{gpu}} limit' },
      ],
    }),
    lines({
      title: 'Clocks',
      description: 'Of the multiprocessors and of the memory.',
      unit: 'hertz',
      queries: [
        { expr: selector(gpu.smClock), legend: '{{instance}} {{gpu}} SM' },
        { expr: selector(gpu.memoryClock), legend: '{{instance}} {{gpu}} memory' },
      ],
    }),
    lines({
      title: 'Fans',
      description: '1 is the fastest.',
      unit: 'percentunit',
      queries: [{ expr: selector(gpu.fan), legend: '{{instance}} {{gpu}}' }],
    }),
    bands({
      title: 'Held back by',
      description: 'What holds the clocks down; idling left out.',
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
      title: 'Trouble',
      description: 'Why figures are missing, and what the driver asks for after a fault.',
      unit: 'none',
      queries: [
        { expr: `${selector(gpu.trouble)} == 1`, legend: '{{instance}} {{trouble}}' },
        { expr: `${selector(gpu.recoveryAction)} == 1`, legend: '{{instance}} {{gpu}} wants {{action}}' },
      ],
    }),
  ],
};

export const money: Row = {
  title: 'Money and joules',
  panels: [
    lines({
      title: 'A million tokens cost',
      description: 'In the last five minutes, idle time included; in the currency of COST_PER_HOUR.',
      unit: 'none',
      queries: [{ expr: selector(tokenCost.cost), legend: '{{instance}} {{tokens}}' }],
    }),
    lines({
      title: 'A token takes',
      description: 'Energy of all GPUs in the last five minutes, idle time included.',
      unit: 'joule',
      queries: [{ expr: selector(tokenCost.energy), legend: '{{instance}} {{tokens}}' }],
    }),
    lines({
      title: 'A million tokens of a key cost',
      description: 'The ten dearest, of output.',
      unit: 'none',
      queries: [
        {
          expr: `topk(10, max by (key) (${selector(tokenCost.keyCost, 'tokens="output"')}))`,
          legend: '{{key}}',
        },
      ],
    }),
    lines({
      title: 'A token of a key takes',
      description: 'The ten with most, of output.',
      unit: 'joule',
      queries: [
        {
          expr: `topk(10, max by (key) (${selector(tokenCost.keyEnergy, 'tokens="output"')}))`,
          legend: '{{key}}',
        },
      ],
    }),
    currentValue({
      title: 'An hour costs',
      description: 'COST_PER_HOUR of the machines chosen.',
      unit: 'none',
      queries: [{ expr: `sum(${selector(backend.costPerHour)})`, legend: 'an hour' }],
    }),
    currentValue({
      title: 'GPUs draw',
      description: 'By what their energy rises.',
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
