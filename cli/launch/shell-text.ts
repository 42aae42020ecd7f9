import type { Launch } from './agents.ts';

/** Where a shell finds the key: its text, or an expression that reads it. */
export type KeySource =
  | { readonly text: string }
  | { readonly variable: string }
  | { readonly file: string }
  | undefined;

/** The commands that start the agent, for sh, bash and zsh. */
export function shellText({ command, args, env, keyVariable, unset }: Launch, key: KeySource): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`);
  return [
    ...unset.map((name) => `unset ${name}`),
    ...variables,
    ...(keyVariable === undefined ? [] : exportKey(keyVariable, key)),
    [command, ...args.map(quote)].join(' '),
  ].join('\n');
}

function exportKey(name: string, key: KeySource): string[] {
  if (key === undefined) return [];
  if ('text' in key) return [`export ${name}=${quote(key.text)}`];
  if ('file' in key) return [`export ${name}="$(head -n 1 -- ${quote(key.file)})"`];
  // Its own shell has it already; the agent has it only if it is exported.
  return key.variable === name ? [`export ${name}`] : [`export ${name}="$${key.variable}"`];
}

/** A word of the shell, whatever is in it. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
