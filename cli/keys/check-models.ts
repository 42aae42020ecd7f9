import { readRegistryFile } from '../../models/registry-file.ts';
import { didYouMean } from '../../settings/nearest-name.ts';
import { resolvePlace } from '../models/options.ts';
import { UsageError } from '../run-command.ts';

/**
 * Compares the models of a new key with `models.json`, if there is one: rights are those to real models, so that an alias
 * would be a right to nothing. Returns warnings about models that do not exist (yet).
 */
export async function checkModels(names: readonly string[]): Promise<readonly string[]> {
  const { file, modelsDir } = resolvePlace(undefined);
  // A file with mistakes is reported by all who serve by it, and does not keep anyone from creating a key.
  const found = await readRegistryFile(file, modelsDir).catch(() => undefined);
  const { models = [], aliases = [] } = found?.registry ?? {};
  if (models.length === 0) return [];
  const problems = names.flatMap((name) => {
    const alias = aliases.find((one) => one.name === name);
    if (alias === undefined) return [];
    const targets = alias.targets.map(({ model }) => model).join(',');
    return [
      `"${name}" is an alias, and a key has rights to models; with --models ${targets} it can use the alias`,
    ];
  });
  if (problems.length > 0) throw new UsageError(`--models: ${problems.join('; ')}`);
  const ids = models.map(({ id }) => id);
  return names
    .filter((name) => name !== '*' && !ids.includes(name))
    .map((name) => {
      const hint = didYouMean(name, ids) ?? `the models are ${ids.slice(0, 10).join(', ')}`;
      return `There is no model "${name}" in ${file} (${hint}); the key can use it once it is added.`;
    });
}
