import { type Settings, type Variable, variables } from '../settings/variables.ts';

/** Shorter ones would be found in ordinary words. */
const shortestSecret = 6;

/** Every secret among the settings; of a list `id:secret,id:secret` each one, too. */
export function secretsOf(settings: Settings): string[] {
  const values: Readonly<Record<string, unknown>> = settings;
  return (Object.entries(variables) as [string, Variable][])
    .filter(([, { secret }]) => secret)
    .map(([name]) => values[name])
    .filter((value): value is string => typeof value === 'string')
    .flatMap((value) => [value, ...value.split(',').map((entry) => entry.slice(entry.indexOf(':') + 1))])
    .filter((secret) => secret.length >= shortestSecret);
}

/** Answers how to show a line of a child: without our secrets, and without what addresses carry of others'. */
export function hide(secrets: readonly string[]): (line: string) => string {
  const longestFirst = [...new Set(secrets)].sort((a, b) => b.length - a.length);
  return (line) =>
    longestFirst
      .reduce((text, secret) => text.replaceAll(secret, '[secret]'), line)
      .replace(/(\w:\/\/)[^\s/@'"]*@/g, '$1')
      .replace(/(https?:\/\/[^\s?'"]*)\?[^\s'"]*/g, '$1?…');
}

const secretive = /key|token|password|secret/i;

/** Arguments as they may be shown: the value behind an option that sounds like a secret is not. */
export function showArguments(args: readonly string[], hidden: (line: string) => string): string[] {
  return args.map((argument, index) => {
    const [name = '', ...value] = argument.split('=');
    if (isOption(name) && secretive.test(name) && value.length > 0) return `${name}=[secret]`;
    const before = args[index - 1] ?? '';
    const isValue =
      isOption(before) && secretive.test(before) && !before.includes('=') && !isOption(argument);
    return isValue ? '[secret]' : hidden(argument);
  });
}

const isOption = (argument: string) => argument.startsWith('-');
