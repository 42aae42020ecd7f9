import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type LocalJWKSet,
} from 'jose';
import type { Log } from '../../log/create-log.ts';
import { fetchIssuerKeys } from './fetch-issuer.ts';

/** Issuers publish a new key well before they use it: most are known before their first token. */
const REFRESH_MS = 5 * 60_000;
const RETRY_MS = 10_000;
/** An unknown key is looked up once in this time. */
const UNKNOWN_MS = 60_000;
/** Clients can invent names of keys: they may cause this many refreshes at once, and later one more in that time. */
const MAX_LOOKUPS = 10;
const LOOKUP_MS = 6000;
/** Requests without keys wait for a new attempt only if the last one is older. */
const PAUSE_MS = 2000;

/** There are no keys that may be used: the issuer has not been reached, or not for `OIDC_STALE`. */
export class IssuerUnavailable extends Error {}

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** How long keys may be used without having been read again, ms. */
  readonly staleMs: number;
  readonly log: Log;
  /** Called when the keys have changed. */
  readonly onChange?: () => void;
}

/** The issuer's public keys, kept up to date. They stay in use while the issuer cannot be reached, at most for `staleMs`. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly refreshes = { ok: 0, failed: 0 };
  #text = '';
  #count = 0;
  #find: LocalJWKSet | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #problem: string | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #stopped = new AbortController();
  /** When each unknown key was last looked up. */
  readonly #unknown = new Map<string, { readonly at: number; readonly done: Promise<void> }>();
  /** When the allowance for lookups is whole again. */
  #lookupsUntil = Number.NEGATIVE_INFINITY;

  /** Reads the keys in the background at once. */
  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.refresh();
  }

  /** When they were last read, ms since 1970; undefined if never. */
  get readAt(): number | undefined {
    return Number.isFinite(this.#readAt) ? this.#readAt : undefined;
  }

  /** Why they could not be read at the last attempt. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether there are keys that may be used at `now`. */
  isUsable(now: number): boolean {
    return now - this.#readAt <= this.#options.staleMs;
  }

  /**
   * The key of a token, for jose. A token that names an unknown key waits for a refresh, together with all others.
   * `isOurs`: whether the token claims to be of this issuer. Rejects with IssuerUnavailable, or an error of jose.
   */
  async find(
    header: JWSHeaderParameters,
    token: FlattenedJWSInput,
    isOurs: () => boolean,
  ): Promise<CryptoKey> {
    for (;;) {
      const find = await this.#usable();
      try {
        return await find(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !isOurs()) throw error;
        // The keys may have changed while we searched.
        if (find === this.#find) await this.#lookUp(String(header.kid ?? '').slice(0, 256));
        if (find === this.#find) throw error;
      }
    }
  }

  async #usable(): Promise<LocalJWKSet> {
    if (!this.isUsable(Date.now())) {
      if (this.#running !== undefined || Date.now() - this.#triedAt > PAUSE_MS) await this.refresh();
      if (!this.isUsable(Date.now())) throw new IssuerUnavailable();
    }
    return this.#find as LocalJWKSet;
  }

  /** Resolves when the keys have been read again, as far as that is allowed. */
  async #lookUp(kid: string): Promise<void> {
    const now = performance.now();
    for (const [known, { at }] of this.#unknown) if (now - at >= UNKNOWN_MS) this.#unknown.delete(known);
    const known = this.#unknown.get(kid);
    if (known !== undefined) return known.done;
    if (!this.#mayLookUp(now)) return this.#running;
    // A reading that has begun already may be older than the key.
    const done = (this.#running ?? Promise.resolve()).then(() => this.refresh());
    this.#unknown.set(kid, { at: now, done });
    return done;
  }

  #mayLookUp(now: number): boolean {
    const until = Math.max(this.#lookupsUntil, now) + LOOKUP_MS;
    if (until - now > MAX_LOOKUPS * LOOKUP_MS) return false;
    this.#lookupsUntil = until;
    return true;
  }

  /** Reads the keys now; one reading at a time. Never rejects. */
  refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#read().finally(() => {
      this.#running = undefined;
      if (this.#stopped.signal.aborted) return;
      this.#timer = setTimeout(() => this.refresh(), this.#untilNext()).unref();
    });
    return this.#running;
  }

  /** Keys that may be used for a short time only are read more often. */
  #untilNext(): number {
    if (this.#problem !== undefined) return RETRY_MS;
    return Math.max(Math.min(REFRESH_MS, this.#options.staleMs / 2), PAUSE_MS);
  }

  async #read(): Promise<void> {
    const { issuer } = this.#options;
    this.#triedAt = Date.now();
    try {
      this.#use(await fetchIssuerKeys(issuer, this.#stopped.signal));
      this.refreshes.ok += 1;
    } catch (error) {
      this.refreshes.failed += 1;
      this.#reportProblem((error as Error).message);
    }
  }

  #use(keys: JSONWebKeySet): void {
    const { log, onChange } = this.#options;
    const before = this.#readAt;
    this.#readAt = Date.now();
    if (this.#problem !== undefined) log.info('OIDC: the keys of the issuer can be read again');
    this.#problem = undefined;
    const text = JSON.stringify(keys);
    if (text === this.#text) return;
    this.#text = text;
    this.#count = keys.keys.length;
    this.#find = createLocalJWKSet(keys);
    log.info(
      { keys: this.#count },
      `OIDC: ${Number.isFinite(before) ? 'the issuer has changed its keys' : 'read the keys of the issuer'}`,
    );
    onChange?.();
  }

  /** Once per problem, as it may last for hours. */
  #reportProblem(problem: string): void {
    const known = this.#problem;
    this.#problem = problem;
    if (known === problem || this.#stopped.signal.aborted) return;
    const { log, staleMs } = this.#options;
    const until = new Date(this.#readAt + staleMs);
    const effect = this.isUsable(Date.now())
      ? `the ${this.#count} keys read before stay in use until ${until.toISOString()}`
      : 'no token is accepted until it is fixed';
    log.warn(`OIDC: the keys of the issuer cannot be read: ${problem}; ${effect}`);
  }

  close(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }
}
