import { Argument, type Command, InvalidArgumentError } from 'commander';
import * as z from 'zod';
import { type AdminOptions, adminCommand, callAdmin } from '../admin-client.ts';
import { writeJson, writeStderr } from '../output.ts';

type Changes = Readonly<Record<string, string>>;

const restartNotes = `
Examples:
  corral restart                             as it is
  corral restart CTX=16384 PARALLEL=2
  corral restart MODEL_NAME=other.gguf DRAFT_MODEL=    an empty value unsets a variable

Requests in progress finish, new ones wait. If llama-server does not load with the changes, it is started with the variables
from before. The changes last until "corral serve" ends; "corral status" shows when it is ready.`;

/** `corral restart [VARIABLE=value…]`. */
export function restartCommand(): Command {
  return adminCommand('restart')
    .addArgument(new Argument('[changes...]', 'VARIABLE=value').argParser(collect).default({}, 'none'))
    .description('restart llama-server without losing a request, with variables changed or as it is')
    .addHelpText('after', restartNotes)
    .action(async (changes: Changes, { json, ...gateway }: AdminOptions) => {
      const body = await callAdmin(gateway, 'POST', '/admin/restart', changes);
      const { message } = z.object({ message: z.string() }).parse(body);
      writeStderr(message);
      if (json) writeJson(body);
    });
}

function collect(text: string, before: Changes): Changes {
  const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be like CTX=8192.');
  return { ...before, [name]: value };
}

/** `corral reload`. */
export function reloadCommand(): Command {
  return adminCommand('reload')
    .description('let a running gateway read its key file now')
    .addHelpText(
      'after',
      '\nExample:\n  corral reload\n\nA change of the file is noticed within a second anyway; this says whether it is in use, and what is wrong with it.',
    )
    .action(async ({ json, ...gateway }: AdminOptions) => {
      const body = await callAdmin(gateway, 'POST', '/reload');
      const { keys_loaded: keys, warnings } = reloaded.parse(body);
      for (const warning of warnings) writeStderr(warning);
      writeStderr(keys === 1 ? 'The gateway uses 1 key.' : `The gateway uses ${keys} keys.`);
      if (json) writeJson(body);
    });
}

const reloaded = z.object({ keys_loaded: z.number(), warnings: z.array(z.string()).default([]) });
