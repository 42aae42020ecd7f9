import type { Registry } from 'prom-client';
import type { ModelReport, SupervisorStatus } from '../../health/supervisor-status.ts';
import type { AliasTargetEntry, ModelDirectory } from '../engines/model-directory.ts';
import { countsIn } from '../engines/model-views.ts';
import type { QueueCounts } from '../scheduler/fair-queue.ts';
import { type MetricDefinition, models as metrics } from './catalogue.ts';
import { registerSamples, registerValue } from './register.ts';

const statuses = ['unloaded', 'loading', 'loaded', 'sleeping', 'failed'] as const;

/** What the supervisor reports of its models. Nothing is shown with one model, which has no memory budget. */
export function registerModelMetrics(
  registry: Registry,
  getStatus: () => SupervisorStatus | undefined,
): void {
  const reports = () => {
    const status = getStatus();
    return status?.memoryBudget === undefined ? [] : status.models;
  };
  const perModel = (metric: MetricDefinition<'model'>, read: (report: ModelReport) => number | null) =>
    registerSamples(registry, metric, () =>
      reports().flatMap((report) => {
        const value = read(report);
        return value === null ? [] : [[{ model: report.id }, value] as const];
      }),
    );
  registerSamples(registry, metrics.status, () =>
    reports().flatMap(({ id, status: current }) =>
      statuses.map((status) => [{ model: id, status }, Number(status === current)] as const),
    ),
  );
  registerValue(registry, metrics.memoryBudget, () => getStatus()?.memoryBudget);
  perModel(metrics.memory, ({ memory }) => memory);
  perModel(metrics.loads, ({ loads }) => loads);
  perModel(metrics.loadTime, ({ loadSeconds }) => loadSeconds);
  perModel(metrics.unloads, ({ unloads }) => unloads);
  perModel(metrics.restarts, ({ restarts }) => restarts);
  registerSamples(registry, metrics.crashes, () =>
    reports().flatMap(({ id, crashes }) =>
      Object.entries(crashes).map(([name, count]) => [{ model: id, class: name }, count] as const),
    ),
  );
}

const noModels: ModelDirectory = { models: [], aliases: [] };

/** What the gateway knows of several models: their slots and requests, and the aliases. Nothing is shown with one model. */
export function registerDirectoryMetrics(registry: Registry, directory: ModelDirectory = noModels): void {
  const perModel = (metric: MetricDefinition<'model'>, read: (counts: QueueCounts) => number) =>
    registerSamples(registry, metric, () =>
      directory.models.map(({ record: { id } }) => [{ model: id }, read(countsIn(directory, id))] as const),
    );
  perModel(metrics.waiting, ({ waiting }) => waiting);
  perModel(metrics.slots, ({ capacity }) => capacity);
  perModel(metrics.leased, ({ leased }) => leased);
  const perTarget = (
    metric: MetricDefinition<'alias' | 'model'>,
    read: (target: AliasTargetEntry, total: number) => number,
  ) =>
    registerSamples(registry, metric, () =>
      directory.aliases.flatMap(({ name, targets }) => {
        const total = targets.reduce((sum, { effectiveWeight }) => sum + effectiveWeight, 0);
        return targets.map((target) => [{ alias: name, model: target.model }, read(target, total)] as const);
      }),
    );
  perTarget(metrics.aliasShare, ({ effectiveWeight }, total) => (total === 0 ? 0 : effectiveWeight / total));
  perTarget(metrics.suspended, ({ suspended }) => Number(suspended !== undefined));
}
