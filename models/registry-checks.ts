import { didYouMean } from '../settings/nearest-name.ts';
import { adapterArgumentProblem } from './adapters.ts';
import { contextProblem } from './context-size.ts';
import { splitWords } from './extra-arguments.ts';
import { findSpeculationArgument } from './speculation.ts';

/** A model or an alias as written, at its place in the file. Its fields may be invalid. */
export interface Entry {
  readonly place: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const sources = ['path', 'file', 'hf', 'url', 'backends'];

/** Fields that have no meaning for engines that we do not run. */
const ofOwnEngines = [
  'ctx',
  'parallel',
  'ngl',
  'args',
  'mmproj',
  'draft',
  'speculate',
  'adapters',
  'devices',
  'replicas',
  'pin',
  'ttl',
];

/** Mistakes of one model that show only when several of its fields are seen together. */
export function modelProblems({ place, fields }: Entry): string[] {
  const given = sources.filter((source) => fields[source] !== undefined);
  const problems: string[] = [];
  if (given.length === 0) problems.push(`${place}: has no source; set one of ${sources.join(', ')}`);
  if (given.length > 1) problems.push(`${place}: has ${given.join(' and ')}; keep one of them`);
  if (fields.backends !== undefined) return [...problems, ...backendsProblems({ place, fields })];
  const { ctx, parallel, kind, devices } = fields;
  const context = contextProblem(numberOrAuto(ctx), numberOrAuto(parallel));
  if (context !== undefined) problems.push(`${place}.ctx: ${context}; lower ctx or parallel`);
  for (const name of ['draft', 'speculate', 'adapters'])
    if (fields[name] !== undefined && kind !== undefined && kind !== 'chat')
      problems.push(`${place}.${name}: is for models of the kind chat only; remove it`);
  problems.push(...speculationProblems({ place, fields }), ...adapterProblems({ place, fields }));
  if (Array.isArray(devices) && new Set(devices.map(String)).size < devices.length)
    problems.push(`${place}.devices: names a GPU twice; remove one`);
  if (Array.isArray(devices) && devices.length === 0)
    problems.push(`${place}.devices: is empty; remove it to use all GPUs`);
  return problems;
}

function speculationProblems({ place, fields: { speculate, draft, args } }: Entry): string[] {
  if (speculate === undefined) return [];
  const words = typeof args === 'string' ? splitWords(args) : args;
  const same = Array.isArray(words) ? findSpeculationArgument(words.map(String)) : undefined;
  const isMissing = speculate === 'draft' && draft === undefined;
  return [
    ...(isMissing ? [`${place}.speculate: "draft" needs a draft model; set draft`] : []),
    ...(same === undefined ? [] : [`${place}.args: ${same} says the same as speculate; remove one of them`]),
  ];
}

function adapterProblems({ place, fields: { adapters, args } }: Entry): string[] {
  const words = typeof args === 'string' ? splitWords(args) : args;
  if (!isObject(adapters) || !Array.isArray(words)) return [];
  const files = Object.keys(adapters).map((name) => ({ name, path: '' }));
  const problem = adapterArgumentProblem({ adapters: files, extraArgs: words.map(String) });
  return problem === undefined ? [] : [`${place}.args: ${problem}`];
}

function backendsProblems({ place, fields }: Entry): string[] {
  const useless = ofOwnEngines.filter((name) => fields[name] !== undefined);
  const isEmpty = Array.isArray(fields.backends) && fields.backends.length === 0;
  return [
    ...(isEmpty ? [`${place}.backends: is empty; name at least one URL`] : []),
    ...useless.map((name) => `${place}.${name}: has no effect on backends that run elsewhere; remove it`),
  ];
}

/** `auto` for anything else: an invalid value is reported by itself. */
function numberOrAuto(value: unknown): number | 'auto' {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : 'auto';
}

/** Mistakes between models and aliases: names that are used twice, targets that do not exist. */
export function nameProblems(models: readonly Entry[], aliases: readonly Entry[]): string[] {
  const owners = new Map<unknown, string>();
  const problems: string[] = [];
  const claim = (place: string, name: unknown) => {
    const owner = owners.get(name);
    if (typeof name !== 'string') return;
    if (owner === undefined) owners.set(name, place);
    else problems.push(`${place}: ${JSON.stringify(name)} is already the name of ${owner}; rename one`);
  };
  for (const { place, fields } of models) claim(`${place}.id`, fields.id);
  for (const { place, fields } of models)
    for (const name of Object.keys(isObject(fields.adapters) ? fields.adapters : {}))
      claim(`${place}.adapters.${name}`, `${fields.id}:${name}`);
  for (const { place, fields } of aliases) claim(`${place}.name`, fields.name);
  const kinds = new Map(models.flatMap(({ fields }) => kindsOf(fields)));
  const names = new Set(aliases.map(({ fields }) => fields.name));
  return [...problems, ...aliases.flatMap((alias) => aliasProblems(alias, kinds, names))];
}

/** The kinds of a model and of its adapters: both can be targets. */
function kindsOf({ id, kind = 'chat', adapters }: Entry['fields']): [unknown, unknown][] {
  const names = Object.keys(isObject(adapters) ? adapters : {});
  return [[id, kind], ...names.map((name): [unknown, unknown] => [`${id}:${name}`, kind])];
}

type Kinds = ReadonlyMap<unknown, unknown>;

function aliasProblems({ place, fields }: Entry, kinds: Kinds, aliases: ReadonlySet<unknown>): string[] {
  const check = (list: unknown, name: string) =>
    Array.isArray(list) ? targetProblems(list, { place: `${place}.${name}`, kinds, aliases }) : [];
  const previous = check(fields.previous, 'previous').map((problem) => `${problem}, or set previous to null`);
  return [...check(fields.targets, 'targets'), ...previous];
}

interface TargetContext {
  readonly place: string;
  readonly kinds: Kinds;
  readonly aliases: ReadonlySet<unknown>;
}

function targetProblems(targets: readonly unknown[], { place, kinds, aliases }: TargetContext): string[] {
  if (targets.length === 0) return [`${place}: is empty; name at least one model`];
  const problems: string[] = [];
  const models = targets.map((target) => (isObject(target) ? target.model : undefined));
  for (const [index, model] of models.entries()) {
    const at = `${place}[${index}].model`;
    const shown = JSON.stringify(model);
    if (typeof model !== 'string') continue;
    if (models.indexOf(model) < index) problems.push(`${at}: ${shown} is named twice; add up the weights`);
    else if (aliases.has(model) && !kinds.has(model))
      problems.push(`${at}: ${shown} is an alias; name the model it stands for`);
    else if (!kinds.has(model)) problems.push(`${at}: no model ${shown}; ${hint(model, kinds)}`);
  }
  const weights = targets.map((target) => (isObject(target) ? (target.weight ?? 1) : 1));
  if (weights.every((weight) => weight === 0))
    problems.push(`${place}: the weights add up to 0; give at least one model a weight above 0`);
  const found = new Set(models.filter((model) => kinds.has(model)).map((model) => kinds.get(model)));
  if (found.size > 1)
    problems.push(`${place}: has models of the kinds ${[...found].join(' and ')}; an alias has one kind`);
  return problems;
}

function hint(name: string, kinds: Kinds): string {
  const ids = [...kinds.keys()].filter((id) => typeof id === 'string');
  const all = ids.length === 0 ? 'there are no models' : `the models are ${ids.slice(0, 10).join(', ')}`;
  return didYouMean(name, ids) ?? all;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
