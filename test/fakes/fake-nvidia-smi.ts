#!/usr/bin/env node
/**
 * An nvidia-smi for scenarios that a GPU does not show on demand, with `--query-gpu` and `--loop-ms`. The scenario is the last
 * part of its file name (tests make a symlink). Each start appends its pid to the file `started` beside it.
 * steady: two GPUs · dies: after the second sample · hangs: after the second sample, and ignores SIGTERM · silent: never prints
 * · old: only the columns of driver 470 · chatty: other lines between the rows · loses: its second GPU after the second sample ·
 * driverless: prints that error and exits · lost: exits after one sample of the first GPU, because the second is lost
 */
import { appendFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { faults } from './nvidia-smi-recordings.ts';

const file = process.argv[1] ?? '';
const scenario = basename(file, '.ts').replace(/^.*-/, '');
const optionOf = (name: string) =>
  process.argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
const columns = optionOf('--query-gpu').split(',');
const intervalMs = Number(optionOf('--loop-ms'));

const values: Readonly<Record<string, string>> = {
  uuid: 'GPU-11111111-2222-3333-4444-55555555555',
  name: 'NVIDIA Fake',
  driver_version: '580.95.05',
  'utilization.gpu': '50',
  'utilization.memory': '20',
  'memory.used': '1024',
  'memory.total': '24576',
  'temperature.gpu': '64',
  'power.draw': '200.00',
  'enforced.power.limit': '450.00',
  'clocks.sm': '1980',
  'clocks.mem': '3201',
  'clocks_event_reasons.active': '0x0000000000000004',
};
const sinceDriver535 = ['clocks_event_reasons.active', 'gpu_recovery_action'];

const row = (index: number) =>
  columns
    .map((column) =>
      column === 'index' ? index : column === 'uuid' ? `${values.uuid}${index}` : (values[column] ?? '[N/A]'),
    )
    .join(', ');

appendFileSync(join(dirname(file), 'started'), `${process.pid}\n`);
const unknown = scenario === 'old' ? columns.find((column) => sinceDriver535.includes(column)) : undefined;
if (unknown !== undefined) end(2, [`Field "${unknown}" is not a valid field to query.`, '']);
if (scenario === 'driverless') end(faults.noDriver.exitCode, faults.noDriver.lines);
if (scenario === 'hangs') process.on('SIGTERM', () => {});

let rounds = 0;
setInterval(() => {
  rounds += 1;
  const late = rounds > 2;
  if (scenario === 'silent' || (scenario === 'hangs' && late)) return;
  if (scenario === 'dies' && late) end(255, []);
  if (scenario === 'chatty') console.log('\u0000\u001b[31m, , ,\n'.repeat(3) + 'x'.repeat(20_000));
  console.log(row(0));
  if (scenario === 'lost') end(15, [faults.lost.lines[1] ?? '']);
  console.log(scenario === 'loses' && late ? faults.lost.lines[1] : row(1));
}, intervalMs);

function end(code: number, lines: readonly string[]): never {
  if (lines.length > 0) console.log(lines.join('\n'));
  process.exit(code);
}
