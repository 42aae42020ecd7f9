import { Command } from 'commander';
import { expect, it } from 'vitest';
import { benchCommand } from '../../cli/bench/bench-command.ts';
import { keysCommand } from '../../cli/keys/keys-command.ts';
import { modelsCommand } from '../../cli/models/models-command.ts';
import { splitWords } from '../../models/extra-arguments.ts';
import { fencedBlocks } from './markdown.ts';
import { allPages } from './pages.ts';

const documented = allPages().flatMap(({ path, text }) =>
  fencedBlocks(text)
    .filter(({ language }) => language === 'sh')
    .flatMap((block) => block.text.split('\n'))
    .flatMap((line) => /(?:^|\s)corral (?:-- )?((?:keys|bench|models) [^|>#)&]+)/.exec(line)?.[1] ?? [])
    .filter((words) => !words.includes('--help'))
    .map((words) => [path, words.trim()] as const),
);

/** The examples in the help of the commands. After two spaces, a line goes on with an explanation. */
const examples = [keysCommand(), benchCommand(), modelsCommand()]
  .flatMap(withSubcommands)
  .flatMap((command) =>
    Array.from(
      helpOf(command).matchAll(/^ {2}corral ((?:keys|bench|models) \S+(?: [^\s|>#)&]+)*)/gm),
      ([, words = '']) => [`the help of ${command.name()}`, words] as const,
    ),
  );

it('the pages and the help contain commands to check', () => {
  expect(documented.length).toBeGreaterThan(10);
  expect(examples.length).toBeGreaterThan(10);
});

it.each([...documented, ...examples])('%s: `corral %s` is a valid command', (_, words) => {
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

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}
