import type { AliasView, ModelView } from '../engines/model-views.ts';
import type { ModelsReport } from '../engines/models-report.ts';
import type { OpenRequest } from './request-views.ts';

/** The models and aliases on the dashboard. */
export interface ModelRows {
  readonly models: readonly ModelRow[];
  readonly aliases: readonly AliasRow[];
  /** What all models may take and what the loaded ones take, in bytes. */
  readonly memoryBudget: number | null;
  readonly memoryUsed: number;
}

export interface ModelRow
  extends Pick<
    ModelView,
    'id' | 'kind' | 'status' | 'loadProgress' | 'failure' | 'pin' | 'memory' | 'slots' | 'queue'
  > {
  /** Of its running requests together. */
  readonly tokensPerSecond: number;
}

export interface AliasRow {
  readonly name: string;
  readonly targets: readonly {
    readonly model: string;
    /** Of the conversations that begin now. */
    readonly share: number;
    readonly suspended: 'failed' | 'crashed' | null;
  }[];
  readonly canRollBack: boolean;
}

/** The open requests give the tokens per second of each model. */
export function describeModels(report: ModelsReport, open: readonly OpenRequest[]): ModelRows {
  const models = report.models.map((model) => describeModel(model, open));
  const isResident = ({ status }: ModelRow) => status !== 'unloaded' && status !== 'failed';
  return {
    models,
    aliases: report.aliases.map(describeAlias),
    memoryBudget: report.memoryBudget,
    memoryUsed: models.filter(isResident).reduce((sum, { memory }) => sum + (memory ?? 0), 0),
  };
}

function describeModel(view: ModelView, open: readonly OpenRequest[]): ModelRow {
  const { id, kind, status, loadProgress, failure, pin, memory, slots, queue } = view;
  const rates = open.flatMap(({ model, tokensPerSecond }) => (model === id ? (tokensPerSecond ?? []) : []));
  return {
    ...{ id, kind, status, loadProgress, failure, pin, memory, slots, queue },
    tokensPerSecond: rates.reduce((sum, rate) => sum + rate, 0),
  };
}

function describeAlias({ name, targets, previous }: AliasView): AliasRow {
  const total = targets.reduce((sum, { effectiveWeight }) => sum + effectiveWeight, 0);
  const shares = targets.map(({ model, effectiveWeight, suspended }) => ({
    ...{ model, suspended },
    share: total === 0 ? 0 : effectiveWeight / total,
  }));
  return { name, targets: shares, canRollBack: previous !== null };
}
