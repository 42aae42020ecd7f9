import { readFileSync } from 'node:fs';
import { keyFilePath } from '../../keys/key-file-path.ts';
import { secretsInInlineKeys, secretsInLines } from '../../keys/legacy-lines.ts';
import { isKeysJson } from '../../keys/parse-keys.ts';
import { type Settings, type Variable, variables } from '../../settings/variables.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Every secret among the settings: whole, and the parts by which others would know it. */
export function settingSecrets(settings: Settings): string[] {
  const values: Readonly<Record<string, unknown>> = settings;
  const whole = (Object.entries(variables) as [string, Variable][])
    .filter(([, { secret }]) => secret)
    .map(([name]) => values[name])
    .filter((value): value is string => typeof value === 'string');
  const ofKeys = secretsInInlineKeys(settings.API_KEYS ?? '');
  return [...whole, ...ofKeys, ...ofKeys.map(unquoted), ...whole.flatMap(secretsInUrl)];
}

/** What others have put into the environment for the programs that we start: tokens, passwords of proxies, headers for collectors. */
export function environmentSecrets(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (/_HEADERS$/i.test(name)) return secretsInHeaders(value);
    const isSecret = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i.test(name);
    return [...(isSecret && !isOrdinary(value) ? [value] : []), ...secretsInUrl(value)];
  });
}

/** A path, or a word that would be missed in every line. */
const isOrdinary = (value: string) => value.startsWith('/') || /^[a-z]{1,15}$/i.test(value);

/** Those of a key file in the ancestor's form. In our own form it holds none. */
export function keyFileSecrets(files: Parameters<typeof keyFilePath>[0]): string[] {
  try {
    const text = readFileSync(keyFilePath(files), 'utf8');
    return isKeysJson(text) ? [] : secretsInLines(text);
  } catch {
    return [];
  }
}

/** `redis://user:password@host`: the password, and what a program makes of both for a header. */
function secretsInUrl(text: string): string[] {
  const [, name = '', password] = /^\w[\w+.-]*:\/\/([^\s/:@]*)(?::([^\s/]*))?@/.exec(text) ?? [];
  // A token may stand where the name does; a name is no secret.
  if (password === undefined) return name.length < 16 ? [] : [name, decoded(name)];
  return [password, decoded(password), `${decoded(name)}:${decoded(password)}`];
}

/** `name=value,name=value`, the values percent-encoded; of `Bearer …` and its like the token alone, too. */
function secretsInHeaders(text: string): string[] {
  return text.split(',').flatMap((pair) => {
    const value = decoded(pair.slice(pair.indexOf('=') + 1).trim());
    return [value, value.replace(/^\w+ +/, '')];
  });
}

const unquoted = (text: string) => text.replace(/^['"]+|['"]+$/g, '');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
