import { Command } from 'commander';
import { findAlias, promote, removeAlias, rollBack, setAlias } from '../../models/edit-registry.ts';
import type { RegistryDocument, WrittenAlias, WrittenTarget } from '../../models/registry-document.ts';
import { jsonOption } from '../options.ts';
import { writeJson, writeStderr } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { type FileOptions, fileOption, updateModels } from './options.ts';

const aliasExamples = `
Examples:
  corral models alias latest qwen3-8b                    one model
  corral models alias latest qwen3-8b=90 qwen3-14b=10    a canary with a tenth of the conversations
  corral models alias latest --remove

Weights are shares of their sum; a model without one has 1. A conversation stays with the model it began with.
"corral models rollback" goes back to what the alias pointed at before.`;

interface AliasOptions extends FileOptions {
  readonly remove?: true;
}

export function aliasCommand(): Command {
  return new Command('alias')
    .description('create an alias, or change what it points at')
    .argument('<name>', 'public name of the alias')
    .argument('[models...]', 'its models, as ID or ID=WEIGHT')
    .option('--remove', 'remove the alias')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', aliasExamples)
    .action(alias);
}

async function alias(name: string, models: readonly string[], options: AliasOptions): Promise<void> {
  if (models.length > 0 === (options.remove === true)) {
    throw new UsageError(
      options.remove
        ? '--remove takes no models'
        : `name the models of the alias: corral models alias ${name} MODEL`,
    );
  }
  if (options.remove) {
    await updateModels(options.file, (document) => removeAlias(document, name));
    return writeStderr(`Removed alias "${name}".`);
  }
  const targets = models.map(parseTarget);
  await change(name, options, (document) => setAlias(document, name, targets));
}

function parseTarget(text: string): WrittenTarget {
  const [, model = text, weight] = /^(.+)=([^=]*)$/.exec(text) ?? [];
  if (weight === undefined) return { model, weight: 1 };
  if (!/^\d+(?:\.\d+)?$/.test(weight))
    throw new UsageError(`the weight of ${model} is "${weight}"; it must be a number ≥ 0, such as 90 or 0.1`);
  return { model, weight: Number(weight) };
}

interface PromoteOptions extends FileOptions {
  readonly to: string;
}

export function promoteCommand(): Command {
  return new Command('promote')
    .description('point an alias at one model')
    .argument('<alias>', 'name of the alias')
    .requiredOption('--to <id>', 'id of the model')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  corral models promote latest --to qwen3-14b\n\nRunning requests finish where they are; new ones go to the model within a second.',
    )
    .action((name: string, options: PromoteOptions) =>
      change(name, options, (document) => promote(document, name, options.to)),
    );
}

export function rollbackCommand(): Command {
  return new Command('rollback')
    .description('point an alias back at what it pointed at before')
    .argument('<alias>', 'name of the alias')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  corral models rollback latest')
    .action((name: string, options: FileOptions) =>
      change(name, options, (document) => rollBack(document, name)),
    );
}

async function change(
  name: string,
  { file, json }: FileOptions,
  edit: (document: RegistryDocument) => RegistryDocument,
): Promise<void> {
  const changed = findAlias(await updateModels(file, edit), name);
  writeStderr(`Alias "${name}" points at ${formatTargets(changed.targets)}.`);
  if (json) writeJson(changed);
}

/** `a 90 %, b 10 %`. */
export function formatTargets(targets: WrittenAlias['targets']): string {
  const sum = targets.reduce((total, { weight = 1 }) => total + weight, 0);
  if (targets.length === 1) return targets[0]?.model ?? '';
  return targets
    .map(({ model, weight = 1 }) => `${model} ${Number(((weight / sum) * 100).toFixed(1))} %`)
    .join(', ');
}
