import { Command, Option } from 'commander';
import { type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { writeStderr } from '../output.ts';
import { BatchClient, batchId } from './batch-client.ts';
import { hasEnded, statusText } from './batch-object.ts';
import { checkTarget, printContent, saveContent } from './download.ts';

const examples = `
Examples:
  corral batch results batch_123 > answers.jsonl
  corral batch results batch_123 --output answers.jsonl
  corral batch results batch_123 --errors | jq -r .custom_id

The results are in the order in which the lines ended; custom_id says which line one belongs to.`;

interface ResultsOptions extends GatewayOptions {
  readonly output?: string;
  readonly errors?: true;
}

export function resultsCommand(): Command {
  const command = new Command('results')
    .description('print the results of a batch that has ended')
    .argument('<id>', 'id of the batch', batchId)
    .addOption(new Option('--output <file>', 'write them to a file'))
    .addOption(new Option('--errors', 'the lines that failed instead of those that succeeded'));
  for (const option of gatewayOptions('batch')) command.addOption(option);
  return command.addHelpText('after', examples).action(results);
}

async function results(id: string, { output, errors, ...gateway }: ResultsOptions): Promise<void> {
  if (output !== undefined) await checkTarget(output);
  const client = await BatchClient.connect(gateway);
  const batch = await client.get(id);
  if (!hasEnded(batch))
    throw new Error(`${id} is ${statusText(batch)}; to wait for its end: corral batch show ${id} --wait`);
  const fileId = errors ? batch.error_file_id : batch.output_file_id;
  if (fileId == null)
    return writeStderr(
      errors ? `${id} has no failed lines.` : `${id} has no lines that succeeded. See --errors.`,
    );
  if (output === undefined) return printContent(client, fileId);
  await saveContent(client, fileId, output);
  writeStderr(`Wrote ${output}.`);
}
