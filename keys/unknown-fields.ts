import { distance } from 'fastest-levenshtein';
import { type Key, keyDefaults } from './key.ts';

const limits = ['requestsPerMinute', 'tokensPerMinute', 'tokensPerDay', 'concurrent'];
const fields = ['id', 'fingerprint', 'hint', ...Object.keys(keyDefaults)];
const ofPrevious = ['fingerprint', 'validUntil'];

/** What others call it, and we do: in the spelling that `plain` makes of it. */
const otherwise: Readonly<Record<string, string>> = {
  rpm: 'requestsPerMinute',
  ratelimit: 'requestsPerMinute',
  tpm: 'tokensPerMinute',
  tpd: 'tokensPerDay',
  maxconcurrent: 'concurrent',
  concurrency: 'concurrent',
  parallel: 'concurrent',
  enabled: 'disabled',
  active: 'disabled',
  revoked: 'disabled',
  blocked: 'disabled',
  expiration: 'expires',
  expiry: 'expires',
  expiresat: 'expires',
  expiresin: 'expires',
  validuntil: 'expires',
  createdat: 'created',
  name: 'id',
  keyid: 'id',
  hash: 'fingerprint',
  secret: 'fingerprint',
  key: 'fingerprint',
  allowedmodels: 'models',
  role: 'scopes',
  roles: 'scopes',
  permissions: 'scopes',
  comment: 'note',
  description: 'note',
};

const mostTold = 50;

/**
 * A sentence for each field of a key file that has no effect, as its name is none of ours: who misspells a limit, or shuts a
 * key by a word of another program, would believe that it holds. Such fields stay in the file. Their values are not told.
 */
export function unknownFields(keys: readonly Key[], further: Readonly<Record<string, unknown>>): string[] {
  const found: string[] = Object.keys(further).map(
    (name) => `the key file has an unknown field ${quoted(name)}; it has no effect`,
  );
  for (const key of keys) {
    const tell = (name: string, place: string, known: readonly string[]) =>
      found.push(
        `key "${key.id}" has an unknown field ${quoted(name)}${place}; it has no effect${hintFor(name, known)}`,
      );
    for (const name of Object.keys(key)) if (!fields.includes(name)) tell(name, '', fields);
    for (const name of Object.keys(key.limits))
      if (!limits.includes(name)) tell(name, ' in its limits', limits);
    for (const name of Object.keys(key.previous ?? {}))
      if (!ofPrevious.includes(name)) tell(name, ' in its "previous"', ofPrevious);
  }
  if (found.length <= mostTold) return found;
  return [...found.slice(0, mostTold), `the key file has ${found.length - mostTold} more unknown fields`];
}

/** Names come from a file that anybody may have written into: short, and in quotes. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

function hintFor(name: string, known: readonly string[]): string {
  const meant = otherwise[plain(name)] ?? nearest(name, known) ?? nearest(name, [...limits, ...fields]);
  if (meant === undefined) return '';
  const isAtHome = known.includes(meant) || !limits.includes(meant) || known === limits;
  return `, did you mean "${meant}"${isAtHome ? '' : ' in "limits"'}?`;
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const [first] = known.toSorted((a, b) => distance(plain(a), plain(name)) - distance(plain(b), plain(name)));
  const isNear = first !== undefined && distance(plain(first), plain(name)) <= Math.max(1, first.length / 5);
  return isNear ? first : undefined;
}

/** requests_per_minute, RequestsPerMinute and requests-per-minute are the same to people. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}
