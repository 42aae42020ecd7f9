import {
  type CryptoKey,
  decodeJwt,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  jwtVerify,
} from 'jose';
import type { Claims } from '../../keys/claims-rules.ts';
import { IssuerUnavailable } from './issuer-keys.ts';

/** None with a shared secret: the public key, which everybody knows, would pass for one. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const LEEWAY_S = 60;
/** Header lines are shorter by default; the token of a person in many groups has some kilobytes. */
const MAX_LENGTH = 16 * 1024;
const MAX_SUBJECT_LENGTH = 1024;

/** Why a token is rejected. */
export const rejections = [
  'malformed',
  'algorithm',
  'unknown_key',
  'signature',
  'issuer',
  'audience',
  'expired',
  'not_yet_valid',
  'claims',
] as const;
export type Rejection = (typeof rejections)[number];

export type Verification =
  | {
      readonly outcome: 'verified';
      readonly subject: string;
      readonly claims: Claims;
      /** When it is no longer accepted, ms since 1970. */
      readonly validUntil: number;
    }
  | { readonly outcome: 'rejected'; readonly reason: Rejection }
  | { readonly outcome: 'unavailable' };

interface TokenVerifierOptions {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keys: {
    find(header: JWSHeaderParameters, token: FlattenedJWSInput, isOurs: () => boolean): Promise<CryptoKey>;
  };
}

/**
 * Verifies the signature and the registered claims of a token. The key is always one of the issuer's, found by its id: what a
 * token says of keys itself (`jwk`, `jku`, `x5c`, `x5u`) means nothing.
 */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #audience: string[];

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
    this.#audience = [...options.audience];
  }

  /** Never rejects. */
  async verify(token: string): Promise<Verification> {
    if (token.length > MAX_LENGTH) return { outcome: 'rejected', reason: 'malformed' };
    const { issuer, keys } = this.#options;
    const isOurs = () => decodeJwt(token).iss === issuer;
    try {
      const { payload } = await jwtVerify(token, (header, input) => keys.find(header, input, isOurs), {
        ...{ algorithms, issuer, audience: this.#audience },
        clockTolerance: LEEWAY_S,
        requiredClaims: ['sub', 'exp'],
      });
      const { sub: subject, exp } = payload;
      const isNamed = typeof subject === 'string' && subject !== '' && subject.length <= MAX_SUBJECT_LENGTH;
      if (!isNamed || exp === undefined) return { outcome: 'rejected', reason: 'claims' };
      return { outcome: 'verified', subject, claims: payload, validUntil: (exp + LEEWAY_S) * 1000 };
    } catch (error) {
      if (error instanceof IssuerUnavailable) return { outcome: 'unavailable' };
      return { outcome: 'rejected', reason: reasonOf(error) };
    }
  }
}

function reasonOf(error: unknown): Rejection {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return reasonByClaim[error.claim] ?? 'claims';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
  const isUnknown =
    error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
  // What is not an error of jose comes from a key that cannot be used, such as an RSA key of 1024 bits.
  return isUnknown || !(error instanceof errors.JOSEError) ? 'unknown_key' : 'malformed';
}

const reasonByClaim: Readonly<Record<string, Rejection>> = {
  iss: 'issuer',
  aud: 'audience',
  exp: 'expired',
  nbf: 'not_yet_valid',
};

/** Whether a secret looks like a JWT: three parts, of which the first is a JSON object. Keys have no dots. */
export function looksLikeToken(secret: string): boolean {
  return secret.startsWith('eyJ') && secret.split('.', 4).length === 3;
}
