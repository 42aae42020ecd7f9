import { isDeepStrictEqual } from 'node:util';
import { didYouMean } from '../settings/nearest-name.ts';
import type { RegistryDocument, WrittenAlias, WrittenModel, WrittenTarget } from './registry-document.ts';

/** A change that the registry does not allow. The message includes the fix. */
export class RegistryChangeError extends Error {
  override readonly name: string = 'RegistryChangeError';
}

/** There is no model or alias of this name. */
export class UnknownNameError extends RegistryChangeError {
  override readonly name = 'UnknownNameError';
}

export function addModel(document: RegistryDocument, model: WrittenModel): RegistryDocument {
  if (document.models.some(({ id }) => id === model.id)) {
    throw new RegistryChangeError(
      `model "${model.id}" already exists: choose another id, or remove it first`,
    );
  }
  if (document.aliases.some(({ name }) => name === model.id)) {
    throw new RegistryChangeError(`"${model.id}" is an alias: choose another id`);
  }
  return { ...document, models: [...document.models, model] };
}

/** Refused while an alias points at the model. What an alias could be rolled back to may go. */
export function removeModel(document: RegistryDocument, id: string): RegistryDocument {
  const wanted = findModel(document, id);
  const users = document.aliases
    .filter(({ targets }) => isTarget(targets, id))
    .map(({ name }) => `"${name}"`);
  if (users.length > 0) {
    const aliases =
      users.length === 1 ? `the alias ${users} points` : `the aliases ${users.join(', ')} point`;
    throw new RegistryChangeError(`${aliases} at model "${id}": choose another model for it first`);
  }
  return {
    models: document.models.filter((model) => model !== wanted),
    aliases: document.aliases.map((alias) =>
      isTarget(alias.previous ?? [], id) ? { ...alias, previous: null } : alias,
    ),
  };
}

export function setPin(document: RegistryDocument, id: string, pin: boolean): RegistryDocument {
  const wanted = findModel(document, id);
  const { pin: _, ...unpinned } = wanted;
  const changed: WrittenModel = { ...unpinned, id, ...(pin && { pin }) };
  return { ...document, models: document.models.map((model) => (model === wanted ? changed : model)) };
}

/** Creates the alias or changes its targets. A change can be rolled back; to set the same targets again is none. */
export function setAlias(
  document: RegistryDocument,
  name: string,
  targets: readonly WrittenTarget[],
): RegistryDocument {
  if (document.models.some(({ id }) => id === name)) {
    throw new RegistryChangeError(`"${name}" is a model: choose another name for the alias`);
  }
  for (const { model } of targets) findModel(document, model);
  const old = document.aliases.find((alias) => alias.name === name);
  if (old === undefined) return { ...document, aliases: [...document.aliases, { name, targets }] };
  if (isDeepStrictEqual(old.targets.map(withWeight), targets.map(withWeight))) return document;
  return replaceAlias(document, old, { ...old, targets, previous: old.targets });
}

export function removeAlias(document: RegistryDocument, name: string): RegistryDocument {
  const wanted = findAlias(document, name);
  return { ...document, aliases: document.aliases.filter((alias) => alias !== wanted) };
}

/**
 * Points the alias at one model. A rollback then leads away from this model: a share that it had before the promotion, as
 * a canary, is not part of it.
 */
export function promote(document: RegistryDocument, name: string, model: string): RegistryDocument {
  const alias = findAlias(document, name);
  findModel(document, model);
  const others = alias.targets.filter((target) => target.model !== model && target.weight !== 0);
  if (others.length === 0 && alias.targets.length === 1) return document;
  const previous = others.length === 0 ? (alias.previous ?? null) : others;
  return replaceAlias(document, alias, { ...alias, targets: [{ model, weight: 1 }], previous });
}

/** Goes back to the targets before the last change. Once: a second rollback would bring back what was left. */
export function rollBack(document: RegistryDocument, name: string): RegistryDocument {
  const alias = findAlias(document, name);
  if (!alias.previous) {
    throw new RegistryChangeError(
      `alias "${name}" has nothing to roll back to: choose a model with "corral models promote ${name} --to MODEL"`,
    );
  }
  return replaceAlias(document, alias, { ...alias, targets: alias.previous, previous: null });
}

function replaceAlias(document: RegistryDocument, old: WrittenAlias, alias: WrittenAlias): RegistryDocument {
  return { ...document, aliases: document.aliases.map((other) => (other === old ? alias : other)) };
}

const withWeight = ({ model, weight = 1 }: WrittenTarget) => ({ model, weight });

const isTarget = (targets: readonly WrittenTarget[], id: string) => targets.some(({ model }) => model === id);

/** Throws an error that suggests the most similar id. */
export function findModel({ models }: Pick<RegistryDocument, 'models'>, id: string): WrittenModel {
  const found = models.find((model) => model.id === id);
  if (found) return found;
  const ids = models.map((model) => model.id);
  throw new UnknownNameError(`no model "${id}": ${didYouMean(id, ids) ?? 'see "corral models list"'}`);
}

export function findAlias({ aliases }: Pick<RegistryDocument, 'aliases'>, name: string): WrittenAlias {
  const found = aliases.find((alias) => alias.name === name);
  if (found) return found;
  const names = aliases.map((alias) => alias.name);
  const hint = didYouMean(name, names) ?? `create it with "corral models alias ${name} MODEL"`;
  throw new UnknownNameError(`no alias "${name}": ${hint}`);
}
