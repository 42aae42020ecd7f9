import { Command } from 'commander';
import { addCommand, pinCommand, removeCommand, unpinCommand } from './add.ts';
import { aliasCommand, promoteCommand, rollbackCommand } from './alias.ts';
import { listCommand, showCommand } from './list.ts';
import { loadCommand, unloadCommand } from './load.ts';

const notes = `
Examples:
  corral models add qwen3-8b --hf Qwen/Qwen3-8B-GGUF:Q4_K_M --ctx 16384 --pin
  corral models add bge-m3 --model-file bge-m3-Q8_0.gguf --kind embeddings
  corral models list
  corral models alias latest qwen3-8b=90 qwen3-14b=10
  corral models promote latest --to qwen3-14b
  corral models rollback latest

Changes are written to models.json, and a running deployment applies them within a second. Only load, unload and the
status in list and show need the gateway and a key with the scope admin.
Data is written to stdout, messages to stderr. Exit status: 0 success, 1 failure, 2 usage error.`;

/** `corral models`: manages the models of a deployment. */
export function modelsCommand(): Command {
  const command = new Command('models')
    .description('list, add and remove models, load and unload them, and change aliases')
    .addHelpText('after', notes);
  const verbs = [
    listCommand(),
    showCommand(),
    addCommand(),
    removeCommand(),
    loadCommand(),
    unloadCommand(),
    pinCommand(),
    unpinCommand(),
    aliasCommand(),
    promoteCommand(),
    rollbackCommand(),
  ];
  for (const verb of verbs) command.addCommand(verb.showHelpAfterError('(see --help)'));
  return command;
}
