import { readFileSync } from 'node:fs';
import { keyFilePath } from '../../keys/key-file-path.ts';
import { secretsInInlineKeys, secretsInLines } from '../../keys/legacy-lines.ts';
import { isKeysJson } from '../../keys/parse-keys.ts';
import type { Variable } from '../../settings/variable.ts';
import { type Settings, variables } from '../../settings/variables.ts';

/** Shorter secrets would match ordinary words. */
const minSecretLength = 6;

/** Secrets that have a known format: our own keys, Hugging Face tokens, credentials of a header. */
const knownFormats = /\bsk-[\w-]{40,}|\bhf_\w{20,}|\b(Basic|Bearer) +[\w+/=.~-]{6,}/gi;

/** A word that may be the secret of a key: see keys/legacy-lines.ts. */
const keyLike = /[\p{L}\p{N}_-]{16,}/gu;

/**
 * Returns a function that removes secrets from a line of a child: ours in any encoding, and the credentials and queries of
 * URLs. `keys` may be many thousands; they are matched as whole words.
 */
export function createSecretRedactor(
  secrets: readonly string[],
  keys: readonly string[] = [],
): (line: string) => string {
  const known = secrets.filter((secret) => secret.length >= minSecretLength);
  const longestFirst = [...new Set(known.flatMap(encodingsOf))].sort((a, b) => b.length - a.length);
  const keySet = new Set(keys);
  return (line) =>
    longestFirst
      .reduce((text, secret) => text.replaceAll(secret, '[secret]'), line)
      .replace(keyLike, (word) => (keySet.has(word) ? '[secret]' : word))
      .replace(knownFormats, (_, scheme?: string) => (scheme ? `${scheme} [secret]` : '[secret]'))
      .replace(/(\w:\/\/)[^\s/@'"]*@/g, '$1')
      .replace(/(https?:\/\/[^\s?'"]*)\?[^\s'"]*/g, '$1?…');
}

/** Plain, in a URL, in JSON, in a header of HTTP basic authentication. */
function encodingsOf(secret: string): string[] {
  const inUrl = encodeURIComponent(secret);
  const lower = inUrl.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase());
  const inBase64 = [secret, `:${secret}`].map((text) => Buffer.from(text).toString('base64'));
  const inUrlsBase64 = inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const unpadded = [...inBase64, ...inUrlsBase64].map((text) => text.replace(/=+$/, ''));
  return [
    secret,
    inUrl,
    lower,
    JSON.stringify(secret).slice(1, -1),
    ...inBase64,
    ...inUrlsBase64,
    ...unpadded,
  ];
}

const secretName = /key|token|password|secret/i;

/** Arguments without secrets: the values of options whose names suggest a secret are removed. */
export function redactArguments(args: readonly string[], redact: (line: string) => string): string[] {
  return args.map((argument, index) => {
    const [name = '', ...value] = argument.split('=');
    if (isOption(name) && secretName.test(name) && value.length > 0) return `${name}=[secret]`;
    const before = args[index - 1] ?? '';
    const isValue =
      isOption(before) && secretName.test(before) && !before.includes('=') && !isOption(argument);
    return isValue ? '[secret]' : redact(argument);
  });
}

const isOption = (argument: string) => argument.startsWith('-');

type Environment = Readonly<Record<string, string | undefined>>;

/** Every secret among the settings: the complete value, and its secret parts. */
export function settingSecrets(settings: Settings): string[] {
  const values: Readonly<Record<string, unknown>> = settings;
  const secrets = (Object.entries(variables) as [string, Variable][])
    .filter(([, { secret }]) => secret)
    .map(([name]) => values[name])
    .filter((value): value is string => typeof value === 'string');
  const inlineKeys = secretsInInlineKeys(settings.API_KEYS ?? '');
  return [...secrets, ...inlineKeys, ...inlineKeys.map(unquoted), ...secrets.flatMap(secretsInUrl)];
}

/** Secrets of other programs in the environment: tokens, proxy passwords, headers for collectors. */
export function environmentSecrets(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (/_HEADERS$/i.test(name)) return secretsInHeaders(value);
    const isSecret = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i.test(name);
    return [...(isSecret && !isOrdinary(value) ? [value] : []), ...secretsInUrl(value)];
  });
}

/** A path, or an ordinary word that would be removed from many lines. */
const isOrdinary = (value: string) => value.startsWith('/') || /^[a-z]{1,15}$/i.test(value);

/** The secrets of a legacy key file. A key file in our format contains none. */
export function keyFileSecrets(files: Parameters<typeof keyFilePath>[0]): string[] {
  try {
    const text = readFileSync(keyFilePath(files), 'utf8');
    return isKeysJson(text) ? [] : secretsInLines(text);
  } catch {
    return [];
  }
}

/** `redis://user:password@host`: the password, and both as they appear in a header. */
function secretsInUrl(text: string): string[] {
  const [, name = '', password] = /^\w[\w+.-]*:\/\/([^\s/:@]*)(?::([^\s/]*))?@/.exec(text) ?? [];
  // A token may be used as the name; a name is not secret.
  if (password === undefined) return name.length < 16 ? [] : [name, decoded(name)];
  return [password, decoded(password), `${decoded(name)}:${decoded(password)}`];
}

/** `name=value,name=value` with percent-encoded values; for `Bearer …` and similar also the token alone. */
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
