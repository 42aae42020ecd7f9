import type { Key } from '../../keys/key.ts';
import type { Alias } from '../../models/registry.ts';
import { didYouMean } from '../../settings/nearest-name.ts';
import type { Finding } from './finding.ts';

interface PublicNames {
  readonly models: readonly string[];
  /** With several models. */
  readonly aliases: readonly Pick<Alias, 'name' | 'targets'>[];
}

/** Rights of keys that lead nowhere, because they name an alias or no model at all. */
export function checkKeyRights(
  keys: readonly Pick<Key, 'id' | 'models'>[],
  { models, aliases }: PublicNames,
): Finding[] {
  return keys.flatMap((key) =>
    key.models
      .filter((name) => name !== '*' && !models.includes(name))
      .map((name): Finding => {
        const alias = aliases.find((one) => one.name === name);
        const finding = { about: 'keys', verdict: 'warning' } as const;
        if (alias) {
          const targets = alias.targets.map(({ model }) => model).join(', ');
          const message = `key "${key.id}" may use "${name}", which is an alias: a right counts only for a model`;
          return { ...finding, message, fix: `name the models of the alias: ${targets}` };
        }
        const fix = didYouMean(name, models) ?? `the models are ${models.join(', ')}`;
        return { ...finding, message: `key "${key.id}" may use "${name}", but there is no such model`, fix };
      }),
  );
}
