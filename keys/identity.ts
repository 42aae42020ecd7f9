import { hash } from 'node:crypto';
import { type ClaimsRule, findRule } from './claims-rules.ts';
import { type Key, keyDefaults } from './key.ts';
import { fingerprint } from './secret.ts';

/** Enough of the hash that nobody finds a second subject with the same id. */
const ID_DIGITS = 32;

/**
 * The key id of a person or program that signs in with a token: its lane, its limits, its line in the ledger, and the owner
 * of what it stores. Subjects may be of any length and contain anything, ids may not; hence the hash.
 */
export function identityId(issuer: string, subject: string): string {
  return `oidc-${hash('sha256', `${issuer}|${subject}`, 'hex').slice(0, ID_DIGITS)}`;
}

const identityIds = new RegExp(`^oidc-[0-9a-f]{${ID_DIGITS}}$`);

/** Whether an id has the form of those of identities. A key may have such an id, too. */
export const isIdentityId = (id: string): boolean => identityIds.test(id);

/**
 * For each identity that a rule names by its subject alone, the index of the first such rule: without its token, it is known
 * to match.
 */
export function rulesBySubject(rules: readonly ClaimsRule[], issuer: string): ReadonlyMap<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    if ([...rule.when.keys()].some((path) => path !== 'sub' && path !== 'iss')) continue;
    for (const subject of rule.when.get('sub') ?? []) {
      if (typeof subject !== 'string' || !findRule([rule], { iss: issuer, sub: subject })) continue;
      const id = identityId(issuer, subject);
      if (!indexes.has(id)) indexes.set(id, index);
    }
  }
  return indexes;
}

/** The rights of an identity as a key. `expires`: ms since 1970. No secret has its fingerprint: it is in no ring. */
export function identityKey(id: string, rule: ClaimsRule, expires: number): Key {
  const { name, scopes, models, priority, limits } = rule;
  const note = `rule "${name}"`;
  return {
    ...keyDefaults,
    ...{ id, fingerprint: fingerprint(id), hint: 'token', expires, scopes, models, priority, limits, note },
  };
}
