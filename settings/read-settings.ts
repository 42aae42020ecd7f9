import { distance } from 'fastest-levenshtein';
import { readSmallFile } from '../fs/read-small-file.ts';
import {
  removedVariableWarnings,
  type Settings,
  type Variable,
  type VariableName,
  variables,
} from './variables.ts';

/** A value that cannot be used: which variable, what it held (secrets masked), what would do. */
export interface SettingsProblem {
  readonly variable: string;
  readonly message: string;
}

/** Where a value came from: the variable, the file its `_FILE` twin names, or the default. */
export type SettingSource = 'environment' | 'file' | 'default';

export interface SettingsResult {
  readonly settings: Settings;
  readonly sources: Readonly<Record<VariableName, SettingSource>>;
  readonly problems: readonly SettingsProblem[];
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads every variable of ours from `env`. All mistakes are collected, none throws: whoever boots shows them together.
 * An empty value counts as unset, as container templates tend to pass every variable they list. A NUL fits nowhere: no
 * path, argument or environment can hold one, and only a file or a request can bring it.
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
    else if (variable.shared) warnings.push(`${misfit(name, variable, text)}; ignored`);
    else problems.push({ variable: name, message: misfit(name, variable, text) });
  }
  return {
    settings: settings as Settings,
    sources: sources as Record<VariableName, SettingSource>,
    problems,
    warnings: [...warnings, ...misspellings(env), ...removedVariableWarnings(env)],
  };
}

interface Told {
  readonly problems: SettingsProblem[];
  readonly warnings: string[];
}

function readText(name: VariableName, variable: Variable, env: Environment, told: Told) {
  const text = plain(name, env[name], told);
  const file = variable.secret ? plain(`${name}_FILE`, env[`${name}_FILE`], told) : undefined;
  if (text) {
    if (file) {
      const message = `${name} and ${name}_FILE are both set: unset one of them`;
      told.problems.push({ variable: name, message });
    }
    return { text, source: 'environment' as const };
  }
  if (!file) return { text: undefined, source: 'default' as const };
  try {
    return { text: plain(name, readSmallFile(file), told), source: 'file' as const };
  } catch (error) {
    const { code, message: why } = error as NodeJS.ErrnoException;
    const message = `${name}_FILE: cannot read ${file} (${code ?? why})`;
    told.problems.push({ variable: `${name}_FILE`, message });
    return { text: undefined, source: 'file' as const };
  }
}

/** Without blanks, line ends and quotes around it; undefined where nothing is left. */
function plain(name: string, value: string | undefined, { warnings }: Told): string | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  const bare = unquote(text);
  if (bare === undefined) return text;
  warnings.push(`${name}: ignoring the quotes around the value; remove them where the variable is set`);
  return bare || undefined;
}

function misfit(name: string, variable: Variable, text: string): string {
  const value = variable.secret ? '' : ` ${JSON.stringify(text)}`;
  return `${name}: invalid value${value}; expected ${variable.kind.expected}`;
}

const known = Object.keys(variables);

/**
 * Variables that are nearly one of ours. Short names are left alone, and those of OpenTelemetry, which are many, and
 * meant for all programs: too many look like ours.
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
 * A value without the quotes around it, of one kind or the other: docker's `--env-file` and many a template's form hand
 * them on as a part of it. Of a list they go from each part. Undefined where there are none; quotes that belong to a
 * part of the value, such as `"a b" "c d"`, are left alone.
 */
export function unquote(text: string): string | undefined {
  const whole = inner(text);
  if (whole !== undefined) return unquote(whole) ?? whole;
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
