import { Command } from 'commander';
import { type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { jsonOption } from '../options.ts';
import { writeJson, writeStderr } from '../output.ts';
import { BatchClient, batchId } from './batch-client.ts';
import { listCommand, showCommand } from './list.ts';
import { resultsCommand } from './results.ts';
import { submitCommand } from './submit.ts';

const notes = `
Examples:
  corral batch submit requests.jsonl --wait
  corral batch list
  corral batch show batch_123 --wait
  corral batch results batch_123 --output answers.jsonl
  corral batch cancel batch_123

They call a running gateway with STORE=on, here or elsewhere, with a key of the scope batch.
Data is written to stdout, messages to stderr. Exit status: 0 success, 1 failure, 2 usage error; with --wait also 3
(completed with failed lines), 4 (failed, expired or cancelled) and 130 (interrupted; the batch goes on).`;

/** `corral batch`: runs files of requests on idle slots. */
export function batchCommand(): Command {
  const command = new Command('batch')
    .description('run files of requests on idle slots: submit, wait, cancel, get the results')
    .addHelpText('after', notes);
  const verbs = [submitCommand(), listCommand(), showCommand(), cancelCommand(), resultsCommand()];
  for (const verb of verbs) command.addCommand(verb.showHelpAfterError('(see --help)'));
  return command;
}

interface CancelOptions extends GatewayOptions {
  readonly json?: true;
}

function cancelCommand(): Command {
  const command = new Command('cancel')
    .description('cancel a batch and keep what is done')
    .argument('<id>', 'id of the batch', batchId);
  for (const option of [...gatewayOptions('batch'), jsonOption()]) command.addOption(option);
  return command
    .addHelpText(
      'after',
      '\nExample:\n  corral batch cancel batch_123\n\nIts results so far: corral batch results.',
    )
    .action(async (id: string, { json, ...gateway }: CancelOptions) => {
      const batch = await (await BatchClient.connect(gateway)).cancel(id);
      writeStderr(`${id} is ${batch.status === 'cancelled' ? 'cancelled' : 'being cancelled'}.`);
      if (json) writeJson(batch);
    });
}
