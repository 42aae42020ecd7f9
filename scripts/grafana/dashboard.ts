import {
  type Dashboard,
  DashboardCursorSync,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/schema';
import { backend } from '../../gateway/metrics/catalogue.ts';
import { layOut, source } from './panels.ts';
import { batchesRow } from './rows/batches.ts';
import { gpus, money, users } from './rows/costs.ts';
import { modelsRow } from './rows/models.ts';
import { errors, health, survival, trouble } from './rows/reliability.ts';
import { queueRow, slots, speed, traffic } from './rows/traffic.ts';

const variables: VariableModel[] = [
  { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
  {
    name: 'instance',
    label: 'Machine',
    type: 'query',
    datasource: source,
    query: `label_values(${backend.status.name}, instance)`,
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
    multi: true,
    includeAll: true,
    allValue: '.+',
    current: { text: 'All', value: '$__all' },
  },
];

const dashboard: Dashboard = {
  uid: 'llama-corral',
  title: 'llama-corral',
  description:
    'Is it healthy, who uses it, how long do people wait, what does a token cost, and what happened.',
  tags: ['llm', 'llama-corral'],
  schemaVersion: 39,
  editable: true,
  graphTooltip: DashboardCursorSync.Crosshair,
  time: { from: 'now-3h', to: 'now' },
  refresh: '30s',
  templating: { list: variables },
  panels: layOut([
    health,
    traffic,
    speed,
    queueRow,
    slots,
    modelsRow,
    batchesRow,
    errors,
    survival,
    users,
    gpus,
    money,
    trouble,
  ]),
};

/** `docker/grafana/llama-corral.json`. `npm run docs` writes it. */
export function dashboardFile(): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
