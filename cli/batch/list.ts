import { Command, Option } from 'commander';
import { printable } from '../../log/printable.ts';
import { formatCount, formatMoney, formatTime } from '../format-values.ts';
import { type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { countOption, jsonOption } from '../options.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';
import { BatchClient, batchId } from './batch-client.ts';
import { type Batch, endedAt, hasEnded, statusText } from './batch-object.ts';
import { costOf, countsOf } from './batch-progress.ts';
import { errorLines, reportEnd } from './end-of-batch.ts';
import { waitForEnd } from './wait.ts';

interface ListOptions extends GatewayOptions {
  readonly limit: number;
  readonly json?: true;
}

const listExamples = `
Examples:
  corral batch list
  corral batch list --limit 100 --json | jq -r '.[] | select(.status == "in_progress") | .id'

A key sees its own batches.`;

export function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .description('list batches, newest first')
    .addOption(countOption(20));
  for (const option of [...gatewayOptions('batch'), jsonOption()]) command.addOption(option);
  return command.addHelpText('after', listExamples).action(list);
}

async function list({ limit, json, ...gateway }: ListOptions): Promise<void> {
  const batches = await (await BatchClient.connect(gateway)).list(limit);
  if (json) return writeJson(batches);
  if (batches.length === 0) return writeStderr('No batches. Create one with "corral batch submit FILE".');
  writeStdout(align([headings, ...batches.map(listRow)]));
}

const headings = ['ID', 'STATUS', 'DONE', 'FAILED', 'LINES', 'MODEL', 'CREATED'];

function listRow(batch: Batch): string[] {
  const { ended, failed, total } = countsOf(batch);
  return [
    batch.id,
    statusText(batch) + (batch.reason ? ', paused' : ''),
    ...[ended, failed, total].map(formatCount),
    printable(batch.model ?? '-'),
    formatTime(batch.created_at * 1000, '-'),
  ];
}

interface ShowOptions extends GatewayOptions {
  readonly wait?: true;
  readonly json?: true;
}

const showExamples = `
Examples:
  corral batch show batch_123
  corral batch show batch_123 --wait

Ctrl-C while it waits does not end the batch.
COST is an upper limit: what the machine costs (COST_PER_HOUR) in the time in which the batch runs.
Exit status with --wait: 0 all lines succeeded, 3 completed with failed lines, 4 failed, expired or cancelled.`;

export function showCommand(): Command {
  const command = new Command('show')
    .description('show a batch, or wait for its end')
    .argument('<id>', 'id of the batch', batchId)
    .addOption(new Option('--wait', 'wait for its end and show the progress'));
  for (const option of [...gatewayOptions('batch'), jsonOption()]) command.addOption(option);
  return command.addHelpText('after', showExamples).action(show);
}

async function show(id: string, { wait, json, ...gateway }: ShowOptions): Promise<void> {
  const client = await BatchClient.connect(gateway);
  const found = await client.get(id);
  const batch = wait && !hasEnded(found) ? await waitForEnd(client, found) : found;
  if (json) writeJson(batch);
  else writeStdout(align(detailRows(batch, await client.costPerHour(), Date.now())));
  if (wait) reportEnd(batch);
}

function detailRows(batch: Batch, costPerHour: number | undefined, now: number): string[][] {
  const { total, completed, failed } = countsOf(batch);
  const cost = costOf(batch, costPerHour, now);
  const { input_tokens: input = 0, output_tokens: output = 0 } = batch.usage ?? {};
  const end = endedAt(batch);
  const rows: [name: string, value: string | undefined][] = [
    ['id', batch.id],
    ['status', statusText(batch)],
    ['paused', batch.reason ?? undefined],
    ['lines', `${formatCount(total)}: ${formatCount(completed)} succeeded, ${formatCount(failed)} failed`],
    ['tokens', `${formatCount(input)} input, ${formatCount(output)} output`],
    ['cost', cost === undefined ? undefined : `at most ${formatMoney(cost)}`],
    ['model', batch.model ?? undefined],
    ['endpoint', batch.endpoint],
    ['created', formatTime(batch.created_at * 1000, '-')],
    ['ended', end === undefined ? undefined : formatTime(end * 1000, '-')],
    [
      'expires',
      hasEnded(batch) || batch.expires_at == null ? undefined : formatTime(batch.expires_at * 1000, '-'),
    ],
    ['input file', batch.input_file_id],
    ['output file', batch.output_file_id ?? undefined],
    ['error file', batch.error_file_id ?? undefined],
    ...Object.entries(batch.metadata ?? {}).map(([name, value]): [string, string] => [
      `metadata.${name}`,
      value,
    ]),
    ...errorLines(batch).map((text): [string, string] => ['error', text]),
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value].map(printable)]));
}
