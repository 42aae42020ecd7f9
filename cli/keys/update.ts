import { Command, Option } from 'commander';
import { changeKey, findKey } from '../../keys/change-keys.ts';
import type { Key, KeyLimits } from '../../keys/key.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { addTemporaryLimits, endTemporaryLimits } from '../../keys/temporary-limits.ts';
import { jsonOption } from '../options.ts';
import { align, writeJson, writeStderr } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { checkModels } from './check-models.ts';
import { findFileKey } from './find-key.ts';
import { limitOptions } from './format-limits.ts';
import { keyWithState } from './list.ts';
import { fileOption, future, futureFormat, resolveKeyFile } from './options.ts';
import { givenProperties, updateOptions } from './property-options.ts';
import { changedRows } from './property-rows.ts';

interface UpdateOptions extends Readonly<Record<string, unknown>> {
  readonly file?: string;
  readonly json?: true;
  readonly until?: number;
  /** False: they end now. */
  readonly temporary: boolean;
}

const examples = `
Examples:
  corral keys update app --rpm 120 --expires 90d
  corral keys update app --tpd default --note ''       takes its own budget and its note away
  corral keys update app --tpd 200000 --until tomorrow   a budget for today
  corral keys update app --rpm 0 --concurrent 8 --until 3h
  corral keys update webui --user-tpd 50000 --until tomorrow
  corral keys update app --no-temporary                temporary limits end now

Only what is named changes; the secret stays. With --until, limits apply until that time and those from before apply again
after it. Of several temporary limits for the same thing the last one counts; one that was set before and ends later applies
again when it has ended. What has been used already stays counted. A running gateway applies a change within a second, and
the end of temporary limits to the moment.`;

export function updateCommand(): Command {
  const command = new Command('update')
    .description('change properties of a key; its secret stays')
    .argument('<id>', 'id of the key');
  for (const option of updateOptions()) command.addOption(option);
  return command
    .addOption(
      new Option('--until <when>', `limits change only until then: ${futureFormat}`).argParser((text) =>
        future(text),
      ),
    )
    .option('--no-temporary', 'end all temporary limits now')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(update);
}

async function update(id: string, options: UpdateOptions): Promise<void> {
  const given = givenProperties(options);
  checkUse(given, options);
  const models = given.get('models') as Key['models'] | undefined;
  const unknown = models === undefined ? [] : await checkModels(models);
  const file = resolveKeyFile(options.file);
  const now = Date.now();
  let before: Key | undefined;
  const { keys, warnings } = await updateKeyFile(file, (there) => {
    before = findFileKey(there, id);
    const base = options.temporary ? before : endTemporaryLimits(before);
    return changeKey(there, id, () => changed(base, given, options.until, now));
  });
  const key = findKey(keys, id);
  const changes = before === undefined ? [] : changedRows(before, key, now);
  const summary =
    changes.length === 0 ? `Key "${id}" in ${file} is like that already.` : `Updated key "${id}" in ${file}:`;
  for (const line of [...unknown, ...warnings, summary]) writeStderr(line);
  if (changes.length > 0)
    writeStderr(align(changes.map(([name = '', change = '']) => [`  ${name}`, change])));
  if (options.json) writeJson(keyWithState(key, now));
}

const limitNames = new Map<string, keyof KeyLimits>(limitOptions.map(({ option, name }) => [option, name]));

const userLimitNames = new Map<string, keyof KeyLimits>(
  limitOptions.map(({ option, name }) => [`user${option[0]?.toUpperCase()}${option.slice(1)}`, name]),
);

/** `--user-rpm` for `userRpm`. */
const optionFlag = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function checkUse(given: ReadonlyMap<string, unknown>, { until, temporary }: UpdateOptions): void {
  if (given.size === 0 && until === undefined && temporary)
    throw new UsageError('nothing to change: name at least one option, such as --rpm 120 (see --help)');
  if (until === undefined) return;
  const names = [...given.keys()];
  const others = names.filter((name) => !limitNames.has(name) && !userLimitNames.has(name)).map(optionFlag);
  if (others.length > 0)
    throw new UsageError(
      `--until is for --rpm, --tpm, --tpd, --concurrent and the same with --user-: change ${others.join(' and ')} with a command of its own`,
    );
  if (names.length === 0)
    throw new UsageError('--until needs a limit: --rpm, --tpm, --tpd or --concurrent, also with --user-');
  const unset = names.find((name) => given.get(name) === undefined);
  if (unset !== undefined)
    throw new UsageError(
      `--until needs a number for ${optionFlag(unset)}: "default" is no temporary limit (0 = unlimited)`,
    );
}

function changed(key: Key, given: ReadonlyMap<string, unknown>, until: number | undefined, now: number): Key {
  const limits = limitsIn(given, limitNames);
  const userLimits = limitsIn(given, userLimitNames);
  if (until !== undefined) {
    const ofUsers = Object.keys(userLimits).length > 0 && { userLimits };
    return addTemporaryLimits(key, { limits, ...ofUsers, until }, now);
  }
  const others = [...given].filter(([name]) => !limitNames.has(name) && !userLimitNames.has(name));
  return {
    ...{ ...key, ...Object.fromEntries(others) },
    limits: { ...key.limits, ...limits },
    userLimits: { ...key.userLimits, ...userLimits },
  };
}

function limitsIn(
  given: ReadonlyMap<string, unknown>,
  names: ReadonlyMap<string, keyof KeyLimits>,
): KeyLimits {
  return Object.fromEntries(
    [...given].flatMap(([option, value]) => (names.has(option) ? [[names.get(option), value]] : [])),
  );
}
