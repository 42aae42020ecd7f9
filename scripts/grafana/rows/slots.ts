import { endpointPicker, queue } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { lines } from '../panels.ts';
import { rate, selector } from '../queries.ts';

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
