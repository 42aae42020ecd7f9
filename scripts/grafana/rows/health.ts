import { backend, generation, house, itself, volume, waiting } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { bands, lines, now, word } from '../panels.ts';
import { of, percentile, rate } from '../queries.ts';

export const health: Row = {
  title: 'Health and standing',
  panels: [
    word({
      title: 'Standing',
      description: 'What the gateway knows of llama-server.',
      unit: 'none',
      queries: [{ expr: `max by (standing) (${of(backend.standing)} == 1)`, legend: '{{standing}}' }],
    }),
    word({
      title: 'The house',
      description: 'What the supervisor says of the whole; nothing where the gateway runs alone.',
      unit: 'none',
      queries: [{ expr: `max by (standing) (${of(house.standing)} == 1)`, legend: '{{standing}}' }],
    }),
    now({
      title: 'Tokens a second',
      description: 'Of output, all requests together.',
      unit: 'suffix: tok/s',
      queries: [{ expr: `sum(${rate(generation.output)})`, legend: 'output' }],
    }),
    now({
      title: 'First token, 95 %',
      description: 'Of streams, from the arrival of the request, waiting included.',
      unit: 's',
      queries: [{ expr: percentile(generation.firstToken, 95), legend: '95 %' }],
    }),
    now({
      title: 'In line',
      description: 'Requests that wait for a slot.',
      unit: 'short',
      queries: [{ expr: `sum(${of(waiting.depth)})`, legend: 'waiting' }],
    }),
    now({
      title: 'Slots in use',
      description: 'Of those that there are.',
      unit: 'percentunit',
      queries: [{ expr: `sum(${of(waiting.leased)}) / sum(${of(waiting.slots)})`, legend: 'in use' }],
    }),
    bands({
      title: 'Standing over time',
      description: 'Of each machine.',
      unit: 'none',
      width: 12,
      queries: [{ expr: `${of(backend.standing)} == 1`, legend: '{{instance}} {{standing}}' }],
    }),
    now({
      title: 'Model loaded in',
      description: 'From the start of the process, the first time.',
      unit: 's',
      queries: [{ expr: `max(${of(house.loadTime)})`, legend: 'load time' }],
    }),
    now({
      title: 'Gateway up for',
      description: 'The youngest of those chosen.',
      unit: 's',
      queries: [{ expr: `time() - max(${of(itself.startedAt)})`, legend: 'up' }],
    }),
    word({
      title: 'Version',
      description: 'llama-corral, Node and llama-server.',
      unit: 'none',
      queries: [
        {
          expr: `max by (version, node, engine) (${of(itself.build)})`,
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
        { expr: of(itself.lagMedian), legend: '{{instance}} median' },
        { expr: of(itself.lagTail), legend: '{{instance}} 99 %' },
        { expr: of(itself.lagMax), legend: '{{instance}} worst' },
      ],
    }),
    lines({
      title: 'Memory of the gateway',
      description: 'Resident, and the JavaScript heap in it.',
      unit: 'bytes',
      width: 6,
      queries: [
        { expr: of(itself.resident), legend: '{{instance}} resident' },
        { expr: of(itself.heap), legend: '{{instance}} heap' },
      ],
    }),
    lines({
      title: 'CPU of the gateway',
      description: '1 is one core.',
      unit: 'short',
      width: 6,
      queries: [
        { expr: rate(itself.cpu), legend: '{{instance}} CPU' },
        { expr: of(itself.busy), legend: '{{instance}} event loop' },
      ],
    }),
    lines({
      title: 'Volume of DATA_DIR',
      description: 'Ledger, crash files, and by default logs and models.',
      unit: 'bytes',
      width: 6,
      queries: [
        { expr: of(volume.free), legend: '{{instance}} free' },
        { expr: of(volume.size), legend: '{{instance}} size' },
      ],
    }),
  ],
};
