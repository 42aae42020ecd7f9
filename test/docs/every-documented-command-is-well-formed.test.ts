import { Command } from 'commander';
import { expect, it } from 'vitest';
import { benchCommand } from '../../cli/bench/bench-command.ts';
import { keysCommand } from '../../cli/keys/keys-command.ts';
import { modelsCommand } from '../../cli/models/models-command.ts';
import { splitWords } from '../../models/extra-arguments.ts';
import { fencedBlocks } from './markdown.ts';
import { allPages } from './pages.ts';

const commands = allPages().flatMap(({ path, text }) =>
  fencedBlocks(text)
    .filter(({ language }) => language === 'sh')
    .flatMap((block) => block.text.split('\n'))
    .flatMap((line) => /(?:^|\s)corral (?:-- )?((?:keys|bench|models) [^|>#)&]+)/.exec(line)?.[1] ?? [])
    .filter((words) => !words.includes('--help'))
    .map((words) => [path, words.trim()] as const),
);

it('the pages contain commands to check', () => {
  expect(commands.length).toBeGreaterThan(10);
});

it.each(commands)('%s: `corral %s` is a valid command', (_, words) => {
  let understood: string | undefined;
  const corral = new Command();
  for (const command of [keysCommand(), benchCommand(), modelsCommand()]) corral.addCommand(command);
  for (const verb of verbsOf(corral)) {
    verb.exitOverride().configureOutput({ writeErr: () => {} });
    verb.action(() => {
      understood = verb.name();
    });
  }
  corral.parse(splitWords(words) ?? [], { from: 'user' });
  expect(words.split(' ')).toContain(understood);
});

/** The commands without subcommands. */
function verbsOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(verbsOf);
}
