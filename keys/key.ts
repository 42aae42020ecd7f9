/** What a key may do: `/v1`, the engine's own routes, `/metrics`, the `/admin` routes and `/reload`. */
export const scopes = ['inference', 'native', 'metrics', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];

/**
 * One key as the rest of the house knows it. Times are milliseconds since 1970. Fields of a newer writer that we do
 * not know ride along untyped, so that rewriting the file keeps them: copy a key by spreading it.
 */
export interface Key {
  readonly id: string;
  /** Of the secret, which is kept nowhere. */
  readonly fingerprint: Fingerprint;
  /** Enough of the secret to recognise it: `sk-…wxyz`. */
  readonly hint: string;
  /** When today's secret was made; null where the key file does not say. */
  readonly created: number | null;
  /** The first moment at which the key no longer works; null for never. */
  readonly expires: number | null;
  readonly disabled: boolean;
  /** Only with `disabled`: what is under way with the key ends, too. */
  readonly cutOff: boolean;
  readonly scopes: readonly Scope[];
  /** Public model names that the key may use; `*` stands for all. */
  readonly models: readonly string[];
  readonly priority: Priority;
  readonly limits: KeyLimits;
  /** The secret before the last rotation, while it still works. */
  readonly previous: PreviousSecret | null;
  readonly note: string;
}

/** `sha256:` and 64 hexadecimal digits. */
export type Fingerprint = `sha256:${string}`;

/** What is undefined follows the house default; 0 is no limit. */
export interface KeyLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly tokensPerDay?: number | undefined;
  readonly concurrent?: number | undefined;
}

interface PreviousSecret {
  readonly fingerprint: Fingerprint;
  readonly validUntil: number;
}

/** What a key is unless somebody says otherwise. */
export const keyDefaults = {
  created: null,
  expires: null,
  disabled: false,
  cutOff: false,
  scopes: ['inference'],
  models: ['*'],
  priority: 'normal',
  limits: {},
  previous: null,
  note: '',
} as const satisfies Partial<Key>;

/** The key file cannot be used; the message says which field or line is wrong, and what would do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** What a key may be called; ids appear in logs, metrics and commands. */
export function isKeyId(text: string): boolean {
  return /^[\p{L}\p{N}_-]{1,64}$/u.test(text);
}

export const keyIdRule = 'must be 1 to 64 letters, digits, - or _';
