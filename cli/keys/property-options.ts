import { InvalidArgumentError, Option } from 'commander';
import { keyDefaults, newKeyScopes, type Priority, priorities, type Scope } from '../../keys/key.ts';
import { usersFromProblem } from '../../keys/users.ts';
import { nameList } from '../options.ts';
import { expiry, futureFormat, limit, scopeList } from './options.ts';

/** What `create` takes, with the values of a key that is created without the option. */
export interface KeyProperties {
  readonly scopes: readonly Scope[];
  readonly models: readonly string[];
  readonly rpm?: number;
  readonly tpm?: number;
  readonly tpd?: number;
  readonly concurrent?: number;
  readonly usersFrom: string | null;
  readonly userRpm?: number;
  readonly userTpm?: number;
  readonly userTpd?: number;
  readonly userConcurrent?: number;
  readonly expires: number | null;
  readonly priority: Priority;
  readonly note: string;
}

interface Property {
  readonly flags: string;
  readonly description: string;
  readonly parse: (text: string) => unknown;
  /** The value of `default`, and how it is shown. */
  readonly usual: unknown;
  readonly usualText: string;
}

const property = (
  flags: string,
  description: string,
  parse: Property['parse'],
  [usual, usualText]: readonly [unknown, string],
): Property => ({ flags, description, parse, usual, usualText });

const properties: readonly Property[] = [
  property('--scopes <list>', 'comma-separated: inference, batch, native, metrics, admin', scopeList, [
    newKeyScopes,
    newKeyScopes.join(','),
  ]),
  property('--models <list>', 'comma-separated models it may use; no aliases', nameList, [
    keyDefaults.models,
    'all',
  ]),
  property('--rpm <n>', 'requests per minute, 0 = unlimited', limit, [undefined, 'MAX_REQUESTS_PER_MINUTE']),
  property('--tpm <n>', 'tokens per minute, 0 = unlimited', limit, [undefined, 'MAX_TOKENS_PER_MINUTE']),
  property('--tpd <n>', 'tokens per UTC day, 0 = unlimited', limit, [undefined, 'unlimited']),
  property('--concurrent <n>', 'concurrent requests, 0 = unlimited', limit, [undefined, 'unlimited']),
  property(
    '--users-from <header>',
    'header that tells the people behind this key apart, such as X-OpenWebUI-User-Id, or none',
    headerName,
    [keyDefaults.usersFrom, 'none'],
  ),
  property('--user-rpm <n>', 'the same as --rpm, for each of its users', limit, [undefined, 'unlimited']),
  property('--user-tpm <n>', 'the same as --tpm, for each of its users', limit, [undefined, 'unlimited']),
  property('--user-tpd <n>', 'the same as --tpd, for each of its users', limit, [undefined, 'unlimited']),
  property('--user-concurrent <n>', 'the same as --concurrent, for each of its users', limit, [
    undefined,
    'unlimited',
  ]),
  property('--expires <when>', `${futureFormat}, or never`, expiry, [keyDefaults.expires, 'never']),
  property('--priority <p>', `share of the turns while requests queue: ${priorities.join(', ')}`, priority, [
    keyDefaults.priority,
    keyDefaults.priority,
  ]),
  property('--note <text>', 'free text, such as who uses the key', (text) => text, [keyDefaults.note, '""']),
];

function headerName(text: string): string | null {
  if (text.toLowerCase() === 'none') return null;
  const problem = usersFromProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`It ${problem}.`);
  return text;
}

function priority(text: string): Priority {
  const found = priorities.find((one) => one === text);
  if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${priorities.join(', ')}.`);
  return found;
}

/** A value of an option. Commander would take null and undefined for an empty text. */
class Given {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Unset options have their usual values. */
export const createOptions = () =>
  properties.map(({ flags, description, parse, usual, usualText }) => {
    const option = new Option(
      flags,
      usual === undefined ? `${description} (default: ${usualText})` : description,
    );
    if (usual !== undefined) option.default(usual, usualText);
    return option.argParser((text) => new Given(parse(text)));
  });

/** Unset options are missing. `default` takes the own value of the key away. */
export const updateOptions = () =>
  properties.map(({ flags, description, parse, usual, usualText }) =>
    new Option(flags, `${description}; default = ${usualText}`).argParser(
      (text) => new Given(text === 'default' ? usual : orDefault(parse, text)),
    ),
  );

function orDefault(parse: Property['parse'], text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message.replace(/\.$/, '')}, or default.`);
  }
}

/** The properties among the options, by their names. With `update`, undefined takes the own value away. */
export function givenProperties(options: object): ReadonlyMap<string, unknown> {
  const names = properties.map(({ flags }) => new Option(flags).attributeName());
  const given = Object.entries(options).filter(([name]) => names.includes(name));
  return new Map(given.map(([name, value]) => [name, value instanceof Given ? value.value : value]));
}
