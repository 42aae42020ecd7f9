import { hash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Key, Scope } from '../../keys/key.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import type { ApiError } from '../errors/api-error.ts';
import {
  adminDisabled,
  identityWithoutRights,
  insufficientScope,
  invalidApiKey,
  issuerUnavailable,
  tooManyFailedLogins,
} from '../errors/catalogue.ts';
import { addressGroup, type IsTrustedProxy } from '../http/client-address.ts';
import { LocalStore } from '../limits/counter-store.ts';
import type { SignIn, TokenSignIn } from '../oidc/token-sign-in.ts';
import type { RequestContext } from '../proxy/request-context.ts';
import { actForKey, keyProblem, markAsJob, type RunnerLogin } from './act-for-key.ts';
import type { Guard } from './guard.ts';
import { identifyUser } from './identify-user.ts';
import { rejectForeignPages } from './reject-foreign-pages.ts';

/** What authentication needs. */
export interface Authenticator {
  /** The current keys; undefined where authentication is disabled. */
  readonly ring: () => KeyRing | undefined;
  readonly failedLogins: FailedLogins;
  /** Undefined where no batches run. */
  readonly runner: RunnerLogin | undefined;
  /** Undefined where tokens are not accepted. */
  readonly tokens: TokenSignIn | undefined;
  readonly isTrusted: IsTrustedProxy;
}

/** How soon a client should try again while no token can be verified, ms. */
const ISSUER_RETRY = 5000;

/**
 * Accepts a request with a key that has one of the scopes. Unknown, expired and disabled keys get the same error. With
 * authentication disabled everything is allowed except administration, and pages of other sites. Waits only for a token that is new.
 */
export function authenticate(
  authenticator: Authenticator,
  scope: Scope,
  ...alternatives: readonly Scope[]
): Guard {
  const { ring, runner, tokens, isTrusted } = authenticator;
  const scopes = [scope, ...alternatives];
  const accept = (context: RequestContext, key: Key, isRunner = false) => {
    if (!scopes.some((one) => key.scopes.includes(one))) {
      const error = insufficientScope(scope);
      throw isRunner ? keyProblem(context, error) : error;
    }
    context.key = key;
    if (key.usersFrom !== null && !isRunner) identifyUser(context, key.usersFrom);
  };
  return (context) => {
    const keys = ring();
    const isRunner = runner?.recognizes(context.incoming.headers) ?? false;
    if (isRunner) markAsJob(context);
    if (keys === undefined) {
      if (scope === 'admin') throw adminDisabled();
      return rejectForeignPages(context, isTrusted);
    }
    if (isRunner) return accept(context, actForKey(context, keys, tokens?.identities), true);
    const key = login(context, keys, authenticator);
    return key instanceof Promise ? key.then((one) => accept(context, one)) : accept(context, key);
  };
}

/** The key of the secret that the request presents, or the identity of its token. */
function login(
  context: RequestContext,
  keys: KeyRing,
  { failedLogins, tokens }: Authenticator,
): Key | Promise<Key> {
  const { record, incoming } = context;
  const secrets = presentedSecrets(incoming.headers);
  const accepted = findKey(keys, secrets);
  if (accepted !== undefined) {
    record.keyId = accepted.key.id;
    record.previousSecret = accepted.previous;
    return accepted.key;
  }
  const token = tokens && secrets.find((secret) => tokens.recognizes(secret));
  if (tokens === undefined || token === undefined) throw loginError(failedLogins, secrets, record.address);
  const accept = (signIn: SignIn) => {
    if (signIn.outcome === 'unavailable') throw issuerUnavailable(ISSUER_RETRY);
    if (signIn.outcome === 'no_rule') throw identityWithoutRights();
    if (signIn.outcome === 'rejected') {
      record.tokenProblem = signIn.reason;
      throw loginError(failedLogins, secrets, record.address);
    }
    record.keyId = signIn.key.id;
    return signIn.key;
  };
  const signIn = tokens.signIn(token);
  return signIn instanceof Promise ? signIn.then(accept) : accept(signIn);
}

/** A request without a secret is no attempt to guess one, and does not count. */
function loginError(failedLogins: FailedLogins, secrets: readonly string[], address: string): ApiError {
  const wait = secrets.length > 0 ? failedLogins.count(address) : undefined;
  return wait === undefined ? invalidApiKey() : tooManyFailedLogins(wait);
}

function findKey(ring: KeyRing, secrets: readonly string[]) {
  const now = Date.now();
  for (const secret of secrets) {
    const authentication = ring.authenticate(secret, now);
    if (authentication.outcome === 'accepted') return authentication;
  }
  return undefined;
}

/**
 * Every secret that a request presents, in order of precedence. `x-api-key` and `api-key` come first: where a platform
 * uses `Authorization` itself (RunPod), clients send the key for us in one of them.
 */
export function presentedSecrets(headers: IncomingHttpHeaders): readonly string[] {
  const secrets: string[] = [];
  add(secrets, headers['x-api-key']);
  add(secrets, headers['api-key']);
  add(secrets, bearer(headers.authorization));
  return secrets;
}

/** Node reads header bytes as Latin-1, which browsers write; curl and most other programs write UTF-8. */
function add(secrets: string[], secret: string | string[] | undefined): void {
  if (typeof secret !== 'string' || secret === '') return;
  if (beyondAscii.test(secret)) {
    const text = Buffer.from(secret, 'latin1').toString('utf8');
    if (!text.includes('\ufffd')) secrets.push(text);
  }
  secrets.push(secret);
}

const beyondAscii = /[\x80-\xff]/;

/** `Bearer SECRET`, in any case, or the secret alone, as clients of llama-gguf-inference send it. */
function bearer(authorization: string | undefined): string | undefined {
  return authorization?.replace(/^bearer\s+/i, '').trim();
}

/** All addresses share this many counters, so that memory use is bounded. */
const COUNTERS = 65_536;
const WINDOW_SECONDS = 60;

/** Counts the requests with an invalid key of each address, to slow down guessing. Valid keys are not affected. */
export class FailedLogins {
  readonly #limit: number;
  readonly #counters = new LocalStore(WINDOW_SECONDS);
  /** Makes it unpredictable which addresses share a counter. */
  readonly #salt = randomBytes(16).toString('hex');
  #total = 0;

  /** `limit` is per minute; 0 is no limit. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Failures since the gateway started. */
  get total(): number {
    return this.#total;
  }

  /** Counts a failure. Returns how long the address has to wait, ms, once it has used up its attempts. */
  count(address: string): number | undefined {
    this.#total += 1;
    if (this.#limit === 0) return undefined;
    const { used, resetMs } = this.#counters.consume(this.#counterOf(address), 1, Number.POSITIVE_INFINITY);
    return used > this.#limit ? resetMs : undefined;
  }

  #counterOf(address: string): string {
    const digest = hash('sha256', this.#salt + addressGroup(address), 'buffer');
    return String(digest.readUInt32BE() % COUNTERS);
  }
}
