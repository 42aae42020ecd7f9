import { Command } from 'commander';
import { expect, it } from 'vitest';
import { commands } from '../../cli/commands.ts';
import { splitWords } from '../../models/extra-arguments.ts';
import { fencedBlocks } from './markdown.ts';
import { allPages } from './pages.ts';

/** All commands, except for those that are named in sentences, too. */
const names = Object.keys(commands).filter((name) => !['serve', 'gateway'].includes(name));
const inPages = new RegExp(`(?:^|\\s)corral (?:-- )?((?:${names.join('|')})(?: [^|>#)&]+)?)`);
const inHelp = new RegExp(`^ {2}corral ((?:${names.join('|')})(?: [^\\s|>#)&]+)*)`, 'gm');

const documented = allPages().flatMap(({ path, text }) =>
  fencedBlocks(text)
    .filter(({ language }) => language === 'sh')
    .flatMap((block) => block.text.split('\n'))
    .flatMap((line) => inPages.exec(line)?.[1] ?? [])
    .filter((words) => !words.includes('--help'))
    .map((words) => [path, words.trim()] as const),
);

/** The examples in the help of the commands. After two spaces, a line goes on with an explanation. */
const examples = (await allCommands())
  .flatMap(withSubcommands)
  .flatMap((command) =>
    Array.from(
      helpOf(command).matchAll(inHelp),
      ([, words = '']) => [`the help of ${command.name()}`, words] as const,
    ),
  );

it('the pages and the help contain commands to check', () => {
  expect(documented.length).toBeGreaterThan(10);
  expect(examples.length).toBeGreaterThan(10);
});

it.each([...documented, ...examples])('%s: `corral %s` is a valid command', async (_, words) => {
  let understood: string | undefined;
  const corral = new Command();
  for (const command of await allCommands()) corral.addCommand(command);
  for (const verb of verbsOf(corral)) {
    verb.exitOverride().configureOutput({ writeErr: () => {} });
    verb.action(() => {
      understood = verb.name();
    });
  }
  corral.parse(splitWords(words) ?? [], { from: 'user' });
  expect(words.split(' ')).toContain(understood);
});

/** New ones: to parse a line changes them. */
function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(commands).map(({ load }) => load()));
}

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
