import { models } from '../../../gateway/metrics/catalogue.ts';
import { bands, lines, type Row } from '../panels.ts';
import { rate, selector } from '../queries.ts';

export const modelsRow: Row = {
  title: 'Models',
  panels: [
    bands({
      title: 'Status of the models',
      description: 'This row has data only with several models (models.json).',
      unit: 'none',
      width: 12,
      queries: [{ expr: `${selector(models.status)} == 1`, legend: '{{instance}} {{model}} {{status}}' }],
    }),
    lines({
      title: 'Memory of the models',
      description: 'What each model takes, or would take, and what all of them may take.',
      unit: 'bytes',
      queries: [
        { expr: selector(models.memory), legend: '{{instance}} {{model}}' },
        { expr: selector(models.memoryBudget), legend: '{{instance}} MEMORY_BUDGET' },
      ],
    }),
    lines({
      title: 'Requests of the models',
      description: 'Running and waiting.',
      unit: 'short',
      queries: [
        { expr: `sum by (model) (${selector(models.leased)})`, legend: '{{model}} running' },
        { expr: `sum by (model) (${selector(models.waiting)})`, legend: '{{model}} waiting' },
      ],
    }),
    lines({
      title: 'Shares of the aliases',
      description: 'Where new conversations go. A canary that fails drops to 0.',
      unit: 'percentunit',
      queries: [
        { expr: `avg by (alias, model) (${selector(models.aliasShare)})`, legend: '{{alias}} {{model}}' },
      ],
    }),
    lines({
      title: 'Loads',
      description: 'Completed loads per second.',
      unit: 'ops',
      queries: [{ expr: `sum by (model) (${rate(models.loads)})`, legend: '{{model}}' }],
    }),
    lines({
      title: 'Time spent loading',
      description: 'Share of the time in which a model was being loaded.',
      unit: 'percentunit',
      queries: [{ expr: `sum by (model) (${rate(models.loadTime)})`, legend: '{{model}}' }],
    }),
    lines({
      title: 'Crashes of the models',
      description: 'Crashes per second, by crash class.',
      unit: 'ops',
      queries: [{ expr: `sum by (model, class) (${rate(models.crashes)})`, legend: '{{model}} {{class}}' }],
    }),
  ],
};
