import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { readSmallFile } from './read-small-file.ts';

it('reads a text file without its byte order mark, and a pipe that the shell has opened', async () => {
  await using folder = await temporaryFolder();
  writeFileSync(folder.file('text'), '\ufeffschlüssel\r\n');
  expect(readSmallFile(folder.file('text'))).toBe('schlüssel\r\n');
  const program = `import { readSmallFile } from ${JSON.stringify(`${import.meta.dirname}/read-small-file.ts`)};
    process.stdout.write(readSmallFile(process.argv[1]));`;
  const shell = '"$0" --input-type=module -e "$1" <(sleep 0.1; printf "from a pipe")';
  const printed = execFileSync('bash', ['-c', shell, process.execPath, program]);
  expect(printed.toString()).toBe('from a pipe');
});

it('does not block, and reports why it rejects anything but a small text file', async () => {
  await using folder = await temporaryFolder();
  mkdirSync(folder.file('folder'));
  execFileSync('mkfifo', [folder.file('pipe')]);
  writeFileSync(folder.file('large'), Buffer.alloc(1024 ** 2 + 1));
  writeFileSync(folder.file('windows'), Buffer.from('\ufeffkey', 'utf16le'));
  writeFileSync(folder.file('latin1'), Buffer.from('schlüssel', 'latin1'));
  const reason = (path: string) => {
    try {
      return readSmallFile(path);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(reason(folder.file('folder'))).toBe('it is a directory');
  expect(reason(folder.file('pipe'))).toBe('it is a pipe or device, not a file');
  expect(reason('/dev/zero')).toBe('it is a pipe or device, not a file');
  expect(reason(folder.file('large'))).toBe('it is larger than 1 MiB');
  expect(reason(folder.file('windows'))).toBe('it is UTF-16; save it as UTF-8');
  expect(reason(folder.file('latin1'))).toBe('it is not UTF-8');
  expect(reason(folder.file('none'))).toMatch(/^ENOENT/);
});
