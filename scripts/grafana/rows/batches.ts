import { batches, store } from '../../../gateway/metrics/catalogue.ts';
import { lines, type Row } from '../panels.ts';
import { rate, selector } from '../queries.ts';

export const batchesRow: Row = {
  title: 'Batches and stored responses',
  panels: [
    lines({
      title: 'Unfinished batches',
      description: 'By status, and how many of them are paused. This row has data only with STORE=on.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (status) (${selector(store.batches, 'status=~"validating|in_progress|finalizing|cancelling"')})`,
          legend: '{{status}}',
        },
        { expr: `sum(${selector(store.paused)})`, legend: 'paused' },
      ],
    }),
    lines({
      title: 'Lines of batches',
      description: 'Lines that end per second, by result.',
      unit: 'ops',
      queries: [{ expr: `sum by (result) (${rate(store.lines)})`, legend: '{{result}}' }],
    }),
    lines({
      title: 'Slots of batches',
      description: 'Slots that lines use, and slots that they may use while no other request needs them.',
      unit: 'short',
      queries: [
        { expr: `sum(${selector(batches.leased)})`, legend: 'in use' },
        { expr: `sum(${selector(batches.slots)})`, legend: 'at most' },
      ],
    }),
    lines({
      title: 'Background responses',
      description: 'Responses that are queued or in progress in the background.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (status) (${selector(store.background, 'status=~"queued|in_progress"')})`,
          legend: '{{status}}',
        },
      ],
    }),
    lines({
      title: 'Stored responses and conversations',
      description: 'How many are kept.',
      unit: 'short',
      queries: [
        { expr: `sum(${selector(store.responses)})`, legend: 'responses' },
        { expr: `sum(${selector(store.conversations)})`, legend: 'conversations' },
      ],
    }),
    lines({
      title: 'Size of the store',
      description: 'Everything that is stored, and STORE_MAX_SIZE.',
      unit: 'bytes',
      queries: [
        { expr: selector(store.bytes), legend: '{{instance}}' },
        { expr: selector(store.limit), legend: '{{instance}} STORE_MAX_SIZE' },
      ],
    }),
  ],
};
