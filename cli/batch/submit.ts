import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { batchEndpoints } from '../../gateway/routes/store/batch-request.ts';
import { formatBytes } from '../../settings/sizes.ts';
import { type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { jsonOption } from '../options.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { progressBar, TerminalLine } from '../terminal-line.ts';
import { BatchClient, type NewBatch } from './batch-client.ts';
import type { Batch } from './batch-object.ts';
import { checkTarget, saveContent } from './download.ts';
import { reportEnd } from './end-of-batch.ts';
import { endpointOf } from './first-line.ts';
import { waitForEnd } from './wait.ts';

const examples = `
Examples:
  corral batch submit requests.jsonl
  corral batch submit requests.jsonl --wait
  corral batch submit requests.jsonl --output answers.jsonl --errors failed.jsonl
  corral batch submit requests.jsonl --metadata project=tales --gateway https://llm.example

It prints the id of the batch. Ctrl-C while it waits does not end the batch.
Exit status with --wait: 0 all lines succeeded, 3 completed with failed lines, 4 failed, expired or cancelled.`;

interface SubmitOptions extends GatewayOptions {
  readonly endpoint?: string;
  readonly wait?: true;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly output?: string;
  readonly errors?: string;
  readonly json?: true;
}

export function submitCommand(): Command {
  const command = new Command('submit')
    .description('upload a file of requests and run it as a batch')
    .argument('<file>', 'requests, one JSON object a line')
    .addOption(
      new Option('--endpoint <path>', 'where the lines go (default: the url of the first line)').choices(
        batchEndpoints,
      ),
    )
    .addOption(new Option('--wait', 'wait for the end of the batch and show its progress'))
    .addOption(
      new Option('--metadata <name=value>', 'a note on the batch; may be repeated').argParser(withPair),
    )
    .addOption(new Option('--output <file>', 'wait, and write the lines that succeeded to this file'))
    .addOption(new Option('--errors <file>', 'wait, and write the lines that failed to this file'));
  for (const option of [...gatewayOptions('batch'), jsonOption()]) command.addOption(option);
  return command.addHelpText('after', examples).action(submit);
}

function withPair(text: string, before: Readonly<Record<string, string>> = {}) {
  const [, name, value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('It must have the form name=value.');
  return { ...before, [name]: value };
}

async function submit(path: string, options: SubmitOptions): Promise<void> {
  await checkTargets(options);
  const endpoint = options.endpoint ?? (await endpointOf(path));
  if (!batchEndpoints.some((known) => known === endpoint))
    throw new UsageError(
      `the url of the first line of ${path} is "${endpoint}"; batches run ${batchEndpoints.join(', ')}`,
    );
  const client = await BatchClient.connect(options);
  const inputFileId = await upload(client, path);
  const created = await create(client, { inputFileId, endpoint, metadata: options.metadata });
  if (!options.json) writeStdout(created.id);
  const waits = options.wait || options.output !== undefined || options.errors !== undefined;
  if (!waits) {
    if (options.json) writeJson(created);
    return writeStderr(`To wait for it: corral batch show ${created.id} --wait`);
  }
  const ended = await waitForEnd(client, created);
  await save(client, ended, options);
  if (options.json) writeJson(ended);
  reportEnd(ended);
}

async function checkTargets({ output, errors }: SubmitOptions): Promise<void> {
  if (output !== undefined && errors !== undefined && resolve(output) === resolve(errors))
    throw new UsageError(`--output and --errors are both ${output}: name two files`);
  for (const path of [output, errors]) if (path !== undefined) await checkTarget(path);
}

async function upload(client: BatchClient, path: string): Promise<string> {
  const line = new TerminalLine(process.stderr);
  try {
    return await client.upload(path, (bytes, total) =>
      line.draw(`uploading ${progressBar(bytes / total)} ${formatBytes(bytes)} of ${formatBytes(total)}`),
    );
  } finally {
    line.clear();
  }
}

/** Leaves no file behind if there will be no batch. */
async function create(client: BatchClient, batch: NewBatch): Promise<Batch> {
  try {
    return await client.create(batch);
  } catch (error) {
    await client.deleteFile(batch.inputFileId).catch(() => undefined);
    throw error;
  }
}

async function save(client: BatchClient, batch: Batch, { output, errors }: SubmitOptions): Promise<void> {
  for (const [path, fileId, how, option] of [
    [output, batch.output_file_id, 'succeeded', ''],
    [errors, batch.error_file_id, 'failed', ' --errors'],
  ] as const) {
    if (path === undefined) continue;
    if (fileId == null) writeStderr(`${path} is not written: no line ${how}.`);
    else
      await saveContent(client, fileId, path).catch(({ message }: Error) => {
        throw new Error(
          `${path} could not be written (${message}); try again with: corral batch results ${batch.id}${option} --output ${path}`,
        );
      });
  }
}
