import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import { type MemoryBudget, needInAll } from '../../models/memory-budget.ts';
import { estimateNeed } from '../../models/memory-need.ts';
import type { ModelRecord, Registry } from '../../models/registry.ts';
import type { Settings } from '../../settings/variables.ts';
import type { ConfiguredModels, SupervisorConfig } from '../../supervisor/config.ts';
import { replicaOptions } from '../../supervisor/engine-options.ts';
import { readBudget } from '../../supervisor/model-memory.ts';
import { filesProblems, modelFileWarnings } from '../../supervisor/models-file.ts';
import { checkBackends } from './check-backends.ts';
import { checkAliases, checkBudget, checkModels, type InspectedModel } from './check-models.ts';
import { checkRunningModels } from './check-running-models.ts';
import type { Finding } from './finding.ts';

interface SeveralModels {
  readonly config: SupervisorConfig;
  readonly models: ConfiguredModels;
  readonly running: SupervisorStatus | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Checks the models of a valid `models.json`, and those of the running deployment. */
export async function checkSeveralModels({
  config,
  models,
  running,
  env,
}: SeveralModels): Promise<Finding[]> {
  const { file, registry, budget } = models;
  const inspected = registry.models.map((record) => inspect(record, config.settings, budget));
  const counts = [count(registry.models, 'model', 'models'), count(registry.aliases, 'alias', 'aliases')];
  // Unless it was set by hand, the budget is that of the machine. Running engines take what would else be available.
  const isByHand = config.settings.MEMORY_BUDGET !== 'auto' && running === undefined;
  const machine = isByHand ? await budgetOfMachine(config, env) : undefined;
  return [
    { about: 'models', verdict: 'good', message: `${file} lists ${counts.join(' and ')}` },
    ...checkModels(inspected),
    ...(await checkBackends(registry.models)),
    ...checkBudget({ models: inspected, budget, machine }),
    ...checkAliases(registry),
    ...(running === undefined ? [] : checkRunningModels(running, registry)),
  ];
}

const budgetOfMachine = (config: SupervisorConfig, env: SeveralModels['env']) =>
  readBudget({ ...config, settings: { ...config.settings, MEMORY_BUDGET: 'auto' } }, env);

const count = ({ length }: readonly unknown[], one: string, more: string) =>
  `${length} ${length === 1 ? one : more}`;

function inspect(record: ModelRecord, settings: Settings, budget: MemoryBudget | undefined): InspectedModel {
  const problems = filesProblems(record);
  const { source } = record;
  if (problems.length > 0 || source.kind === 'backends') return { record, need: undefined, problems };
  try {
    const options = replicaOptions(settings, { ...record, source });
    const estimate = estimateNeed(options, budget?.memory ?? 'machine');
    return { record, need: needInAll(record, () => estimate), problems };
  } catch (error) {
    return { record, need: undefined, problems: [(error as Error).message] };
  }
}

/** With `auto`, the budget of the running deployment: its engines take a part of what would be available without them. */
export function budgetOfRunning(settings: Settings, running: SupervisorStatus | undefined): Settings {
  const MEMORY_BUDGET = running?.memoryBudget;
  const isKnown = settings.MEMORY_BUDGET === 'auto' && MEMORY_BUDGET !== undefined;
  return isKnown ? { ...settings, MEMORY_BUDGET } : settings;
}

/** The warnings but for those of model files, which the findings of the models contain. */
export function withoutModelFiles(
  warnings: readonly string[],
  config: SupervisorConfig | undefined,
): readonly string[] {
  const ofFiles = config?.models ? modelFileWarnings(config.models.registry) : [];
  return warnings.filter((warning) => !ofFiles.includes(warning));
}

/** The names of models and adapters in rights of keys, and the aliases. */
export function namesOf({ models, engine, settings }: SupervisorConfig): {
  readonly models: readonly string[];
  readonly aliases: Registry['aliases'];
} {
  const { aliases = [] } = models?.registry ?? {};
  const own = (settings.MODEL_ALIAS ?? [])
    .slice(0, 1)
    .map((id) => ({ id, adapters: engine?.adapters ?? [] }));
  const adapted = (models?.registry.models ?? own).filter(({ adapters }) => adapters.length > 0);
  const rights = adapted.flatMap(({ id, adapters }) => [
    `${id}:*`,
    ...adapters.map(({ name }) => `${id}:${name}`),
  ]);
  return { models: [...(settings.MODEL_ALIAS ?? []), ...rights], aliases };
}
