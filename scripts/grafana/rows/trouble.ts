import { gatewayProcess, keys, queue } from '../../../gateway/metrics/catalogue.ts';
import type { Row } from '../layout.ts';
import { bands, lines } from '../panels.ts';
import { selector } from '../queries.ts';

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
