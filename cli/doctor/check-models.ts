import type { MemoryBudget } from '../../models/memory-budget.ts';
import type { Alias, ModelRecord, Registry } from '../../models/registry.ts';
import { formatBytes } from '../../settings/sizes.ts';
import { formatTargets } from '../models/alias.ts';
import { formatSource } from '../models/list.ts';
import type { Finding } from './finding.ts';

/** A model of `models.json`, and what its files say. */
export interface InspectedModel {
  readonly record: ModelRecord;
  /** Bytes of all its engines together; undefined if unknown. */
  readonly need: number | undefined;
  /** What is wrong with its files. */
  readonly problems: readonly string[];
}

/** One finding for each model of our own, or for each mistake in its files: the others are served without it. */
export function checkModels(models: readonly InspectedModel[]): Finding[] {
  return models.filter(runsHere).flatMap(({ record, need, problems }): Finding[] => {
    const about = `model ${record.id}`;
    if (problems.length > 0)
      return problems.map((message) => ({ about, verdict: 'bad', message, fix: fixOfFile }));
    return [{ about, verdict: 'good', message: describe(record, need) }];
  });
}

const fixOfFile = 'restore the file, or correct the model in the file of the models';

const runsHere = ({ record }: InspectedModel) => record.source.kind !== 'backends';

function describe({ kind, source, pin, replicas }: ModelRecord, need: number | undefined): string {
  const memory =
    need === undefined
      ? 'llama-server downloads it at its first load, and what it needs is unknown until then'
      : `needs ${formatBytes(need)}`;
  const engines = replicas === 1 ? [] : [`${replicas} replicas`];
  return [kind, formatSource({ source }), ...engines, memory, ...(pin ? ['pinned'] : [])].join(', ');
}

interface MemoryOfModels {
  readonly models: readonly InspectedModel[];
  /** Undefined if nothing is known of the machine. */
  readonly budget: MemoryBudget | undefined;
  /** What the budget would be if it were not set by hand; undefined if it was not. */
  readonly machine: MemoryBudget | undefined;
}

/** Whether the models fit into `MEMORY_BUDGET`, with the numbers. */
export function checkBudget({ models, budget, machine }: MemoryOfModels): Finding[] {
  const about = 'memory budget';
  const own = models.filter(runsHere);
  if (own.length === 0) return [];
  if (budget === undefined)
    return [
      {
        ...{
          about,
          verdict: 'warning',
          message: 'the memory of this machine is unknown, so everything fits',
        },
        fix: 'set MEMORY_BUDGET',
      },
    ];
  const [pinned, others] = [own.filter(isPinned), own.filter((model) => !isPinned(model))];
  const pinnedBytes = sum(pinned);
  const largest = others.toSorted((a, b) => (b.need ?? 0) - (a.need ?? 0))[0];
  const together = pinnedBytes + sum(others);
  const message = [
    `${formatBytes(budget.bytes)}${budget.memory === 'gpu' ? ' of GPU memory' : ''}`,
    ...(pinned.length > 0 ? [`pinned models need ${formatBytes(pinnedBytes)} (${names(pinned)})`] : []),
    ...(largest?.need === undefined
      ? []
      : [`the largest other one ${formatBytes(largest.need)} (${largest.record.id})`]),
    `all together ${formatBytes(together)}${together > budget.bytes ? ', so that they are loaded in turn' : ''}`,
  ].join('; ');
  const fits = pinnedBytes + (largest?.need ?? 0) <= budget.bytes;
  return [{ about, verdict: fits ? 'good' : 'bad', message }, ...budgetAboveMachine(budget, machine)];
}

const isPinned = ({ record }: InspectedModel) => record.pin;
const names = (models: readonly InspectedModel[]) => models.map(({ record }) => record.id).join(', ');
const sum = (models: readonly InspectedModel[]) => models.reduce((bytes, { need = 0 }) => bytes + need, 0);

function budgetAboveMachine(budget: MemoryBudget, machine: MemoryBudget | undefined): Finding[] {
  if (machine === undefined || budget.bytes <= machine.bytes) return [];
  return [
    {
      about: 'memory budget',
      verdict: 'warning',
      message: `MEMORY_BUDGET is ${formatBytes(budget.bytes)}, but this machine can give ${formatBytes(machine.bytes)}`,
      fix: 'lower it, or models fail to load when the memory is used up',
    },
  ];
}

/** Where the requests of each alias go. */
export function checkAliases({ aliases }: Pick<Registry, 'aliases'>): Finding[] {
  return aliases.map(({ name, targets }: Alias) => ({
    about: `alias ${name}`,
    verdict: 'good',
    message: formatTargets(targets),
  }));
}
