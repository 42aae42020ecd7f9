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
