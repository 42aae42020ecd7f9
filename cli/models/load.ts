import { Command } from 'commander';
import { type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { jsonOption } from '../keys/options.ts';
import { writeJson, writeStderr } from '../output.ts';
import { callAdmin } from './admin-client.ts';

interface LoadOptions extends GatewayOptions {
  readonly json?: true;
}

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
  const command = new Command(verb).description(description).argument('<id>', 'id of the model');
  for (const option of [...gatewayOptions('admin'), jsonOption()]) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `\nExample:\n  corral models ${verb} qwen3-8b --key-file admin.key\n\n${notes[verb]}`,
    )
    .action(async (id: string, { json, ...gateway }: LoadOptions) => {
      const reply = await callAdmin(gateway, 'POST', `/models/${encodeURIComponent(id)}/${verb}`);
      writeStderr(`Model "${id}" is being ${verb}ed.`);
      if (json) writeJson(reply ?? null);
    });
}
