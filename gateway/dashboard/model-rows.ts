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
  /** Null if neither money nor energy is known. */
  readonly costs: readonly ModelCostRow[] | null;
}

/** What a model costs; null where that is unknown. */
export interface ModelCostRow {
  readonly id: string;
  /** Money for its machine time since the gateway started. */
  readonly cost: number | null;
  /** Recent cost of a million output tokens. */
  readonly costPerMillion: number | null;
  /** Recent energy of an output token. */
  readonly joulesPerToken: number | null;
}

export interface ModelCosts {
  /** Undefined if the price of the machine is unknown. */
  readonly moneyByModel: ReadonlyMap<string, number> | undefined;
  readonly byModel: ReadonlyMap<
    string,
    {
      readonly joulesPerOutputToken: number | undefined;
      readonly costPerMillionOutputTokens: number | undefined;
    }
  >;
}

export interface ModelRow
  extends Pick<
    ModelView,
    'id' | 'kind' | 'status' | 'loadProgress' | 'failure' | 'pin' | 'memory' | 'slots' | 'queue'
  > {
  /** The sum of its running requests. */
  readonly tokensPerSecond: number;
}

export interface AliasRow {
  readonly name: string;
  readonly targets: readonly {
    readonly model: string;
    /** The share of the conversations that begin now. */
    readonly share: number;
    readonly suspended: 'failed' | 'crashed' | null;
  }[];
  readonly canRollBack: boolean;
}

/** The open requests give the tokens per second of each model. */
export function describeModels(
  report: ModelsReport,
  open: readonly OpenRequest[],
  costs: ModelCosts,
): ModelRows {
  const models = report.models.map((model) => describeModel(model, open));
  const isResident = ({ status }: ModelRow) => status !== 'unloaded' && status !== 'failed';
  return {
    models,
    aliases: report.aliases.map(describeAlias),
    memoryBudget: report.memoryBudget,
    memoryUsed: models.filter(isResident).reduce((sum, { memory }) => sum + (memory ?? 0), 0),
    costs: describeCosts(models, costs),
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

function describeCosts(
  models: readonly ModelRow[],
  { moneyByModel, byModel }: ModelCosts,
): ModelCostRow[] | null {
  const rows = models.map(({ id }) => {
    const { costPerMillionOutputTokens, joulesPerOutputToken } = byModel.get(id) ?? {};
    return {
      id,
      cost: moneyByModel === undefined ? null : (moneyByModel.get(id) ?? 0),
      costPerMillion: costPerMillionOutputTokens ?? null,
      joulesPerToken: joulesPerOutputToken ?? null,
    };
  });
  const isKnown = moneyByModel !== undefined || rows.some(({ joulesPerToken }) => joulesPerToken !== null);
  return isKnown ? rows : null;
}

function describeAlias({ name, targets, previous }: AliasView): AliasRow {
  const total = targets.reduce((sum, { effectiveWeight }) => sum + effectiveWeight, 0);
  const shares = targets.map(({ model, effectiveWeight, suspended }) => ({
    ...{ model, suspended },
    share: total === 0 ? 0 : effectiveWeight / total,
  }));
  return { name, targets: shares, canRollBack: previous !== null };
}
