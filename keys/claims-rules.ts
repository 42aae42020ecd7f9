import type { Key } from './key.ts';

export type ClaimValue = string | number | boolean;

/** The rights of all identities whose claims match. */
export interface ClaimsRule extends Pick<Key, 'scopes' | 'models' | 'priority' | 'limits'> {
  readonly name: string;
  /** By the path of the claim: one of these values must be there. Empty: all identities match. */
  readonly when: ReadonlyMap<string, readonly ClaimValue[]>;
}

/** The payload of a verified token. */
export type Claims = Readonly<Record<string, unknown>>;

/** The first rule that matches; undefined if none does: such an identity has no rights. */
export function findRule(rules: readonly ClaimsRule[], claims: Claims): ClaimsRule | undefined {
  return rules.find(({ when }) =>
    when.entries().every(([path, accepted]) => {
      const present = [readClaim(claims, path)].flat();
      return accepted.some((value) => present.some((one) => matches(value, one)));
    }),
  );
}

/**
 * The claim at a path such as `realm_access.roles`. Names of claims may contain dots themselves (`kubernetes.io`,
 * `https://example.com/roles`): the longest name that exists counts.
 */
export function readClaim(claims: unknown, path: string): unknown {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
  const of = claims as Claims;
  if (Object.hasOwn(of, path)) return of[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    if (Object.hasOwn(of, name)) return readClaim(of[name], path.slice(dot + 1));
  }
  return undefined;
}

/** A `*` at the end stands for any further text. A number never equals its digits as a text. */
function matches(accepted: ClaimValue, present: unknown): boolean {
  if (typeof accepted !== 'string' || !accepted.endsWith('*')) return accepted === present;
  return typeof present === 'string' && present.startsWith(accepted.slice(0, -1));
}
