import { type ClaimsRule, findRule } from '../../keys/claims-rules.ts';
import { identityId, identityKey } from '../../keys/identity.ts';
import type { Key } from '../../keys/key.ts';
import { secretDigest } from '../../keys/secret.ts';
import type { Log } from '../../log/create-log.ts';
import { HOUR } from '../../settings/durations.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { OidcConfig } from '../config.ts';
import { type LiveRules, watchClaimsRules } from './claims-rules-file.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { KnownIdentities } from './known-identities.ts';
import {
  looksLikeToken,
  type Rejection,
  rejections,
  TokenVerifier,
  type Verification,
} from './token-verifier.ts';

/** Verified tokens that are kept in memory, by their hash. */
const MAX_CACHED = 10_000;
/** A token may be valid for years; its key is checked again after an hour. */
const MAX_CACHE_MS = HOUR;

export type SignIn =
  | { readonly outcome: 'accepted'; readonly key: Key }
  | { readonly outcome: 'rejected'; readonly reason: Rejection }
  /** The token is valid, but no rule gives its identity any rights. */
  | { readonly outcome: 'no_rule' }
  /** The keys of the issuer are not known. */
  | { readonly outcome: 'unavailable' };

interface CachedSignIn {
  readonly signIn: SignIn & { readonly outcome: 'accepted' };
  readonly ruleName: string;
  readonly validUntil: number;
}

/** Signs in with JSON Web Tokens of one issuer: token → identity → rights, by the claims file. */
export class TokenSignIn {
  readonly #issuer: string;
  readonly #log: Log;
  readonly #verifier: TokenVerifier;
  readonly #rules: LiveRules;
  readonly #cache = new BoundedMap<string, CachedSignIn>(MAX_CACHED);
  readonly #outcomes = new Map<string, number>(
    ['accepted', 'no_rule', 'unavailable', ...rejections].map((outcome) => [outcome, 0]),
  );
  /** Grows when what is cached does not hold any more. */
  #generation = 0;
  readonly keys: IssuerKeys;
  readonly identities: KnownIdentities;

  /** `updateKey` is called with each identity that is known when its rights may have changed. */
  constructor(config: OidcConfig, log: Log, updateKey: (key: Key) => void) {
    const { issuer, audience, claimsFile, staleMs, identitiesFile } = config;
    this.#issuer = issuer;
    this.#log = log;
    const forget = () => {
      this.#cache.clear();
      this.#generation += 1;
    };
    this.#rules = watchClaimsRules(claimsFile, log, () => {
      forget();
      for (const key of this.identities.all(Date.now())) updateKey(key);
    });
    this.keys = new IssuerKeys({ issuer, staleMs, log, onChange: forget });
    this.#verifier = new TokenVerifier({ issuer, audience, keys: this.keys });
    const rules = () => this.#rules.rules;
    this.identities = new KnownIdentities({ file: identitiesFile, issuer, log, rules });
  }

  /** How often each outcome occurred for tokens that were not cached. */
  get outcomes(): ReadonlyMap<string, number> {
    return this.#outcomes;
  }

  /** Why the claims file is not in use; undefined if it is. */
  get rulesProblem(): string | undefined {
    return this.#rules.problem;
  }

  recognizes(secret: string): boolean {
    return looksLikeToken(secret);
  }

  /** Never rejects. A promise only for a token that has not been verified before. */
  signIn(token: string): SignIn | Promise<SignIn> {
    const digest = secretDigest(token);
    const now = Date.now();
    const known = this.#cache.get(digest);
    if (known !== undefined && now < known.validUntil && this.keys.isUsable(now)) {
      this.identities.see(known.signIn.key.id, known.ruleName, now);
      return known.signIn;
    }
    return this.#verify(token, digest);
  }

  async #verify(token: string, digest: string): Promise<SignIn> {
    // Keys and rules may change meanwhile: what was found by those from before is not cached.
    const generation = this.#generation;
    const verification = await this.#verifier.verify(token);
    const signIn =
      verification.outcome === 'verified'
        ? await this.#accept(verification, { digest, generation })
        : verification;
    const name = signIn.outcome === 'rejected' ? signIn.reason : signIn.outcome;
    this.#outcomes.set(name, (this.#outcomes.get(name) ?? 0) + 1);
    return signIn;
  }

  async #accept(
    { subject, claims, validUntil }: VerifiedToken,
    { digest, generation }: { readonly digest: string; readonly generation: number },
  ): Promise<SignIn> {
    const now = Date.now();
    const id = identityId(this.#issuer, subject);
    const rule = findRule(this.#rules.rules, claims);
    if (rule === undefined) {
      // Nothing of it is kept: at a public issuer anybody can get a token.
      this.identities.reject(id, now);
      await this.identities.save(id);
      return { outcome: 'no_rule' };
    }
    if (this.identities.see(id, rule.name, now)) this.#introduce(id, subject, rule);
    await this.identities.save(id);
    const signIn = { outcome: 'accepted', key: identityKey(id, rule, validUntil) } as const;
    if (generation !== this.#generation) return signIn;
    const cachedUntil = Math.min(validUntil, now + MAX_CACHE_MS);
    this.#cache.set(digest, { signIn, ruleName: rule.name, validUntil: cachedUntil });
    return signIn;
  }

  /** Says whose id this is, which nothing else does. */
  #introduce(id: string, subject: string, { name }: ClaimsRule): void {
    this.#log.info({ key: id, subject: subject.slice(0, 256), rule: name }, 'OIDC: identity signed in');
  }

  async close(): Promise<void> {
    this.keys.close();
    this.#rules[Symbol.dispose]();
    await this.identities.close();
  }
}

type VerifiedToken = Extract<Verification, { readonly outcome: 'verified' }>;
