import type { Registry } from 'prom-client';
import type { ModelReport, SupervisorStatus } from '../../health/supervisor-status.ts';
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
