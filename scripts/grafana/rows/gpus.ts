import { gpu } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { bands, lines } from '../panels.ts';
import { selector } from '../queries.ts';

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
