import { backend, gpu, price } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines, now } from '../panels.ts';
import { of, rate } from '../queries.ts';

export const money: Row = {
  title: 'Money and joules',
  panels: [
    lines({
      title: 'A million tokens cost',
      description: 'In the last five minutes, idle time included; in the currency of COST_PER_HOUR.',
      unit: 'none',
      queries: [{ expr: of(price.cost), legend: '{{instance}} {{tokens}}' }],
    }),
    lines({
      title: 'A token takes',
      description: 'Energy of all GPUs in the last five minutes, idle time included.',
      unit: 'joule',
      queries: [{ expr: of(price.energy), legend: '{{instance}} {{tokens}}' }],
    }),
    lines({
      title: 'A million tokens of a key cost',
      description: 'The ten dearest, of output.',
      unit: 'none',
      queries: [
        { expr: `topk(10, max by (key) (${of(price.costOfKey, 'tokens="output"')}))`, legend: '{{key}}' },
      ],
    }),
    lines({
      title: 'A token of a key takes',
      description: 'The ten with most, of output.',
      unit: 'joule',
      queries: [
        { expr: `topk(10, max by (key) (${of(price.energyOfKey, 'tokens="output"')}))`, legend: '{{key}}' },
      ],
    }),
    now({
      title: 'An hour costs',
      description: 'COST_PER_HOUR of the machines chosen.',
      unit: 'none',
      queries: [{ expr: `sum(${of(backend.costPerHour)})`, legend: 'an hour' }],
    }),
    now({
      title: 'GPUs draw',
      description: 'By what their energy rises.',
      unit: 'watt',
      queries: [{ expr: `sum(${rate(gpu.energy)})`, legend: 'power' }],
    }),
  ],
};
