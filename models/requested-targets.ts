import { didYouMean } from '../settings/nearest-name.ts';
import { parseRegistry } from './parse-registry.ts';
import { RegistryError } from './registry.ts';
import type { RegistryDocument, WrittenTarget } from './registry-document.ts';

/** Everything that is wrong with the requested change of an alias, by place. */
export class InvalidAliasError extends Error {
  override readonly name = 'InvalidAliasError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** The targets that a request names for an alias. Throws an InvalidAliasError. */
export function requestedTargets(
  document: RegistryDocument,
  name: string,
  { targets, ...unknown }: Fields,
  modelsDir: string,
): readonly WrittenTarget[] {
  const problems = [
    ...Object.keys(unknown).map((field) => `${field}: unknown field; expected only "targets"`),
    ...aliasProblems(document, { name, targets }, modelsDir),
  ];
  if (problems.length > 0) throw new InvalidAliasError(problems);
  return targets as readonly WrittenTarget[];
}

/** As if it were the only alias, so that what is wrong with it is found alone, with the checks of the file. */
function aliasProblems({ models }: RegistryDocument, alias: Fields, modelsDir: string): readonly string[] {
  try {
    parseRegistry(JSON.stringify({ version: 1, models, aliases: [alias] }), modelsDir);
    return [];
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return error.problems.map((problem) => problem.replace(/^aliases\[0\]\./, ''));
  }
}

/** The model that a request names to promote. Throws an InvalidAliasError. */
export function requestedModel({ models }: RegistryDocument, { to, ...unknown }: Fields): string {
  const ids = models.map(({ id }) => id);
  const problems = Object.keys(unknown).map((field) => `${field}: unknown field; expected only "to"`);
  if (typeof to !== 'string') problems.push('to: expected the id of a model, such as {"to":"qwen3-8b"}');
  else if (!ids.includes(to))
    problems.push(
      `to: no model ${JSON.stringify(to)}; ${didYouMean(to, ids) ?? `the models are ${ids.join(', ')}`}`,
    );
  if (problems.length > 0) throw new InvalidAliasError(problems);
  return String(to);
}
