import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';

const source = new URL('./create-logs.ts', import.meta.url);

/** A program that logs a hundred lines and then ends in this way. */
const program = (end: string) => `
  import { createLogs } from '${source}';
  const logs = await createLogs({ format: 'json', level: 'info' });
  const log = logs.getLog('test');
  for (let n = 0; n < 100; n++) log.info({ n }, 'line');
  ${end}`;

const runArguments = (code: string) => ['--input-type=module', '-e', code];

const endings = [
  ['returns', ''],
  ['exits', 'process.exit(3)'],
  ['throws', "setImmediate(() => { throw new Error('nobody handles this'); });"],
  ['handles a signal', "process.on('SIGTERM', () => process.exit()); process.kill(process.pid, 'SIGTERM');"],
  ['closes its logs', 'await logs.close(); process.kill(process.pid, "SIGKILL");'],
] as const;

it.each(endings)('no line is lost in a pipe if the process %s', async (_, end) => {
  const child = spawn(process.execPath, runArguments(program(end)), { stdio: ['ignore', 'pipe', 'ignore'] });
  expect(numbersIn(await text(child.stdout))).toEqual(allNumbers);
});

it.each(endings)('no line is lost in a file if the process %s', async (_, end) => {
  await using folder = await temporaryFolder();
  const file = folder.file('stdout.log');
  const fd = openSync(file, 'w');
  const child = spawn(process.execPath, runArguments(program(end)), { stdio: ['ignore', fd, 'ignore'] });
  await once(child, 'close');
  expect(numbersIn(readFileSync(file, 'utf8'))).toEqual(allNumbers);
});

it('warnings and errors go out at once, after the lines before them', async () => {
  const end = `log.warn('w'); log.info({ n: 'late' }, 'lost'); process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, runArguments(program(end)), { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).level)).toEqual([...allNumbers.map(() => 'info'), 'warn']);
});

it('what the program itself prints after a flush follows the lines before it', async () => {
  const end = "logs.flush(); process.stdout.write('printed\\n');";
  const child = spawn(process.execPath, runArguments(program(end)), { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  expect(lines.indexOf('printed')).toBe(allNumbers.length);
});

const allNumbers = Array.from({ length: 100 }, (_, n) => n);

const numbersIn = (lines: string) =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).n);
