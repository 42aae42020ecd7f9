import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageFile from '../package.json' with { type: 'json' };
import { runCorral } from '../test/harness/run-corral.ts';
import { commands } from './commands.ts';

describe('corral', () => {
  it.each([[[]], [['help']], [['--help']]])('with %j prints its help', async (args) => {
    const { status, stdout, stderr } = await runCorral(args);
    expect([status, stderr]).toEqual([0, '']);
    for (const name of Object.keys(commands)) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it.each([[['version']], [['--version']]])('with %j prints its version', async (args) => {
    expect(await runCorral(args)).toEqual({ status: 0, stdout: packageFile.version, stderr: '' });
  });

  it.each([[['doctr']], [['doctr', '--json']], [['help', 'doctr']]])(
    'with %j suggests the command that was meant',
    async (args) => {
      const { status, stdout, stderr } = await runCorral(args);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^error: unknown command 'doctr'\n\(Did you mean doctor\?\)/);
    },
  );

  it('says that its output cannot be written, as on a full disk', () => {
    const full = openSync('/dev/full', 'w');
    const program = join(import.meta.dirname, 'corral.ts');
    const { status, stderr } = spawnSync(process.execPath, [program, 'config', '--json'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: the output cannot be written \(ENOSPC: .*\)\n$/m);
  });

  it('explains a command and a verb', async () => {
    const [keys, create] = await Promise.all([
      runCorral(['help', 'keys']),
      runCorral(['help', 'keys', 'create']),
    ]);
    expect([keys.status, create.status]).toEqual([0, 0]);
    expect(keys.stdout).toMatch(/^Usage: corral keys \[/);
    expect(create.stdout).toMatch(/^Usage: corral keys create \[/);
  });
});

it.each(Object.entries(commands))(
  'the help says of %s what the command says of itself',
  async (name, entry) => {
    const command = await entry.load();
    expect([command.name(), command.description()]).toEqual([name, entry.description]);
  },
);
