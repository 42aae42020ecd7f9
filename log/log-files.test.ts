import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { LogFiles } from './log-files.ts';

function openIn(folder: string) {
  const problems: (string | undefined)[] = [];
  const files = new LogFiles({
    folder,
    maxBytes: 10_000,
    maxFiles: 2,
    onProblem: (why) => problems.push(why),
  });
  return { files, problems };
}

it('log files are limited in size and number and contain the latest lines', async () => {
  await using folder = await temporaryFolder();
  const { files, problems } = openIn(folder.file('logs'));
  const names = () => readdirSync(folder.file('logs')).sort();
  for (let batch = 0; batch < 10; batch++) {
    for (let line = 0; line < 50; line++) files.write(`${'x'.repeat(90)} ${batch}-${line}\n`);
    await waitFor('the batch', () =>
      names().some((name) => readFileSync(folder.file(`logs/${name}`), 'utf8').includes(` ${batch}-49\n`)),
    );
  }
  await files.close();
  expect(names()).toEqual(['corral.log', 'corral.log.1', 'corral.log.2']);
  const sizes = names().map((name) => statSync(folder.file(`logs/${name}`)).size);
  expect(Math.max(...sizes)).toBeLessThan(16_000);
  expect(statSync(folder.file('logs/corral.log')).mode & 0o777).toBe(0o600);
  expect(problems).toEqual([]);
});

it('log files continue where an earlier process stopped', async () => {
  await using folder = await temporaryFolder();
  for (const word of ['one', 'two']) {
    const { files } = openIn(folder.path);
    files.write(`${word}\n`);
    await files.close();
  }
  expect(readFileSync(folder.file('corral.log'), 'utf8')).toBe('one\ntwo\n');
});

it('a failure to write log files is reported once, and lines are dropped', async () => {
  await using folder = await temporaryFolder();
  const script = `
    import { LogFiles } from '${new URL('./log-files.ts', import.meta.url)}';
    let problems = 0;
    const onProblem = (why) => { problems += 1; console.log(why); };
    const files = new LogFiles({ folder: ${JSON.stringify(folder.path)}, maxBytes: 1e6, maxFiles: 2, onProblem });
    while (problems === 0) {
      for (let line = 0; line < 100; line++) files.write('x'.repeat(99) + '\\n');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (let line = 0; line < 1000; line++) files.write('more\\n');
    await files.close();
    console.log('and the program went on');`;
  // A limit on the size of files makes writes fail like a full disk.
  const limited = [
    '-c',
    'ulimit -f 64 && exec "$0" "$@"',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const { stdout } = await promisify(execFile)('/bin/sh', limited);
  expect(stdout).toMatch(/^EFBIG: [^\n]+\nand the program went on\n$/);
  expect(statSync(folder.file('corral.log')).size).toBeGreaterThan(0);
});

it('log files need a folder', async () => {
  await using folder = await temporaryFolder();
  writeFileSync(folder.file('logs'), 'a file');
  const { files, problems } = openIn(folder.file('logs'));
  files.write('one\n');
  await waitFor('the problem', () => problems.length > 0);
  files.write('two\n');
  await files.close();
  expect(problems).toHaveLength(1);
});
