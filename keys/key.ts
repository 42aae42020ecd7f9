import { FileError } from '../fs/file-error.ts';

/**
 * What a key gives access to: `/v1`, files and batches, llama-server's own routes, `/metrics`, the `/admin` routes and `/reload`.
 */
export const scopes = ['inference', 'batch', 'native', 'metrics', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];

/**
 * An API key. Times are milliseconds since 1970. Unknown fields, written by a newer version, are kept untyped so that
 * rewriting the file does not lose them: copy a key by spreading it.
 */
export interface Key {
  readonly id: string;
  /** Hash of the secret. The secret itself is not stored. */
  readonly fingerprint: Fingerprint;
  /** Enough of the secret to recognise it: `sk-…wxyz`. */
  readonly hint: string;
  /** When the current secret was created; null if the key file does not contain it. */
  readonly created: number | null;
  /** The first moment at which the key is no longer valid; null for never. */
  readonly expires: number | null;
  readonly disabled: boolean;
  /** Running requests of the key end as well: all if it is disabled, else those that use an earlier secret. */
  readonly cutOff: boolean;
  readonly scopes: readonly Scope[];
  /** Public names of the models that the key may use; `*` stands for all. */
  readonly models: readonly string[];
  readonly priority: Priority;
  readonly limits: KeyLimits;
  /** In the order in which they were set. Ended ones have no effect. */
  readonly temporaryLimits?: readonly TemporaryLimits[] | undefined;
  /** The header that tells the people behind this key apart, believed from this key alone; null: it is one client. */
  readonly usersFrom: string | null;
  /** The limits of each of its users, within those of the key. An undefined one means that there is none. */
  readonly userLimits: KeyLimits;
  /** The secret from before the last rotation, while it is still valid. */
  readonly previous: PreviousSecret | null;
  readonly note: string;
}

/** `sha256:` and 64 hexadecimal digits. */
export type Fingerprint = `sha256:${string}`;

/** An undefined limit means the default limit; 0 means unlimited. */
export interface KeyLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly tokensPerDay?: number | undefined;
  readonly concurrent?: number | undefined;
}

/** They take the place of the limits of a key until they end. */
export interface TemporaryLimits {
  readonly limits: KeyLimits;
  /** The limits of each of its users. */
  readonly userLimits?: KeyLimits | undefined;
  /** The first moment at which they no longer apply. */
  readonly until: number;
}

interface PreviousSecret {
  readonly fingerprint: Fingerprint;
  readonly validUntil: number;
}

/** Fields of a key that are not specified. */
export const keyDefaults = {
  created: null,
  expires: null,
  disabled: false,
  cutOff: false,
  scopes: ['inference'],
  models: ['*'],
  priority: 'normal',
  limits: {},
  usersFrom: null,
  userLimits: {},
  previous: null,
  note: '',
} as const satisfies Partial<Key>;

/** The key file cannot be used. The message names the invalid field or line and what is valid. */
export class KeyFileError extends FileError {
  override readonly name = 'KeyFileError';
}

/** The scopes of a new key. A record without scopes is older than batches, and has `inference` alone. */
export const newKeyScopes: readonly Scope[] = ['inference', 'batch'];

/** Valid key ids. Ids appear in logs, metrics and commands. */
export function isKeyId(text: string): boolean {
  return /^[\p{L}\p{N}_-]{1,64}$/u.test(text);
}

export const keyIdRule = 'must be 1 to 64 letters, digits, - or _';
