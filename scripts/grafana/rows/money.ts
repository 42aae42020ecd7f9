import { backend, gpu, tokenCost } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { currentValue, lines } from '../panels.ts';
import { rate, selector } from '../queries.ts';

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
