import type { Command } from 'commander';
import { type AdminOptions, adminCommand, callAdmin } from '../admin-client.ts';
import { writeJson, writeStderr } from '../output.ts';

const notes = {
  load: 'It is loaded as soon as there is memory for it, as if a request waited for it.',
  unload: 'Its requests finish first. The next request loads it again. A pinned model is not unloaded.',
};

export function loadCommand(): Command {
  return actionCommand('load', 'load a model before the first request does');
}

export function unloadCommand(): Command {
  return actionCommand('unload', 'unload a model and free its memory');
}

function actionCommand(verb: 'load' | 'unload', description: string): Command {
  return adminCommand(verb)
    .description(description)
    .argument('<id>', 'id of the model')
    .addHelpText(
      'after',
      `\nExample:\n  corral models ${verb} qwen3-8b --key-file admin.key\n\n${notes[verb]}`,
    )
    .action(async (id: string, { json, ...gateway }: AdminOptions) => {
      const reply = await callAdmin(gateway, 'POST', `/admin/models/${encodeURIComponent(id)}/${verb}`);
      writeStderr(`Model "${id}" is being ${verb}ed.`);
      if (json) writeJson(reply ?? null);
    });
}
