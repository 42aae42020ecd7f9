import { distance } from 'fastest-levenshtein';
import { readSmallFile } from '../fs/read-small-file.ts';
import { removedVariableWarnings } from './removed-variables.ts';
import type { Variable } from './variable.ts';
import { type Settings, type VariableName, variables } from './variables.ts';

/** An invalid value: the variable, the value (secrets masked), and what is valid. */
export interface SettingsProblem {
  readonly variable: string;
  readonly message: string;
}

/** Where a value comes from: the variable, the file that `<NAME>_FILE` names, or the default. */
export type SettingSource = 'environment' | 'file' | 'default';

export interface SettingsResult {
  readonly settings: Settings;
  readonly sources: Readonly<Record<VariableName, SettingSource>>;
  readonly problems: readonly SettingsProblem[];
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads all our variables from `env`. Never throws: all problems are collected, so that they can be reported
 * together. An empty value counts as unset, because container templates often pass every variable they list. NUL
 * characters are rejected, because no path, argument or environment can contain them.
 */
export function readSettings(env: Environment): SettingsResult {
  const problems: SettingsProblem[] = [];
  const warnings: string[] = [];
  const settings: Record<string, unknown> = {};
  const sources: Record<string, SettingSource> = {};
  for (const [name, variable] of Object.entries(variables) as [VariableName, Variable][]) {
    const { text, source } = readText(name, variable, env, { problems, warnings });
    sources[name] = source;
    settings[name] = variable.default;
    if (text === undefined) continue;
    const value = text.includes('\0') ? undefined : variable.kind.parse(text);
    if (value !== undefined) settings[name] = value;
    else if (variable.shared) warnings.push(`${invalidValue(name, variable, text)}; ignored`);
    else problems.push({ variable: name, message: invalidValue(name, variable, text) });
  }
  return {
    settings: settings as Settings,
    sources: sources as Record<VariableName, SettingSource>,
    problems,
    warnings: [...warnings, ...misspellings(env), ...removedVariableWarnings(env)],
  };
}

interface Findings {
  readonly problems: SettingsProblem[];
  readonly warnings: string[];
}

function readText(name: VariableName, variable: Variable, env: Environment, found: Findings) {
  const text = plain(name, env[name], found);
  const file = variable.secret ? plain(`${name}_FILE`, env[`${name}_FILE`], found) : undefined;
  if (text) {
    if (file) {
      const message = `${name} and ${name}_FILE are both set: unset one of them`;
      found.problems.push({ variable: name, message });
    }
    return { text, source: 'environment' as const };
  }
  if (!file) return { text: undefined, source: 'default' as const };
  try {
    return { text: plain(name, readSmallFile(file), found), source: 'file' as const };
  } catch (error) {
    const { code, message: why } = error as NodeJS.ErrnoException;
    const message = `${name}_FILE: cannot read ${file} (${code ?? why})`;
    found.problems.push({ variable: `${name}_FILE`, message });
    return { text: undefined, source: 'file' as const };
  }
}

/** Removes surrounding white space and quotes; undefined if nothing is left. */
function plain(name: string, value: string | undefined, { warnings }: Findings): string | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  const unquoted = unquote(text);
  if (unquoted === undefined) return text;
  warnings.push(`${name}: ignoring the quotes around the value; remove them where the variable is set`);
  return unquoted || undefined;
}

/** The user and password of a URL are secret, also where none belongs. */
function invalidValue(name: string, variable: Variable, text: string): string {
  const value = variable.secret ? '' : ` ${JSON.stringify(text.replace(/\/\/[^\s/]*@/g, '//***@'))}`;
  return `${name}: invalid value${value}; expected ${variable.kind.expected}`;
}

const known = Object.keys(variables);

/**
 * Warns about names that are similar to ours. Short names and those of OpenTelemetry are ignored: too many are
 * similar.
 */
function misspellings(env: Environment): string[] {
  const warnings: string[] = [];
  for (const name of Object.keys(env)) {
    const plain = name.replace(/_FILE$/, '');
    if (known.includes(name) || known.includes(plain) || name.startsWith('OTEL_')) continue;
    const nearest = known.find((ours) => ours.length >= 6 && isMisspelling(name, ours));
    if (nearest) warnings.push(`unknown variable ${name}: did you mean ${nearest}?`);
  }
  return warnings;
}

function isMisspelling(name: string, ours: string): boolean {
  if (name.replaceAll('_', '').toUpperCase() === ours.replaceAll('_', '')) return true;
  return distance(name, ours) <= (ours.length >= 10 ? 2 : 1);
}

/**
 * Removes the quotes around a value: docker's `--env-file` and many templates pass them on. In a list they are
 * removed from each item. Undefined if there are none. Quotes inside a value, such as `"a b" "c d"`, are kept.
 */
export function unquote(text: string): string | undefined {
  const content = inner(text);
  if (content !== undefined) return unquote(content) ?? content;
  const parts = text.split(',').map((part) => inner(part.trim()));
  return parts.length > 1 && parts.every((part) => part !== undefined) ? parts.join(',') : undefined;
}

function inner(text: string): string | undefined {
  return /^"([^"]*)"$|^'([^']*)'$/s
    .exec(text)
    ?.slice(1)
    .find((part) => part !== undefined)
    ?.trim();
}
