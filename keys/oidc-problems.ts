import { readSmallFile } from '../fs/read-small-file.ts';
import type { Settings } from '../settings/variables.ts';
import { parseClaimsFile } from './claims-file.ts';

type OidcSettings = Pick<Settings, 'AUTH_ENABLED' | 'OIDC_ISSUER' | 'OIDC_AUDIENCE' | 'OIDC_CLAIMS_FILE'>;

/**
 * What prevents a start with these settings: sign-in with tokens is configured completely or not at all. `invalid`: variables
 * whose values are reported already.
 */
export function oidcProblems(settings: OidcSettings, invalid: readonly string[] = []): string[] {
  const { AUTH_ENABLED, OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_CLAIMS_FILE: file } = settings;
  if (issuer === undefined && !invalid.includes('OIDC_ISSUER'))
    return audience || file ? ['OIDC_ISSUER: not set, but OIDC_AUDIENCE or OIDC_CLAIMS_FILE is'] : [];
  if (!AUTH_ENABLED)
    return ['OIDC_ISSUER: has no effect with AUTH_ENABLED=false, as no key or token is required then'];
  return [
    ...(audience?.length
      ? []
      : [
          'OIDC_AUDIENCE: not set; with OIDC_ISSUER, expected the "aud" of tokens that are meant for this server',
        ]),
    ...(file === undefined
      ? [
          'OIDC_CLAIMS_FILE: not set; with OIDC_ISSUER, expected the file that says which rights a token gives',
        ]
      : claimsFileProblems(file)),
  ];
}

function claimsFileProblems(file: string): string[] {
  try {
    parseClaimsFile(readSmallFile(file));
    return [];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [`OIDC_CLAIMS_FILE: ${file}: ${code === 'ENOENT' ? 'is missing' : message}`];
  }
}

/** Keys that are read without encryption can be replaced by anybody on the way. */
export function oidcWarning({ OIDC_ISSUER: issuer }: Pick<Settings, 'OIDC_ISSUER'>): string | undefined {
  if (issuer === undefined || !issuer.startsWith('http:')) return undefined;
  const { hostname } = new URL(issuer);
  if (hostname === 'localhost' || hostname.startsWith('127.') || hostname === '[::1]') return undefined;
  return 'OIDC_ISSUER: is an http:// address: whoever can change its traffic can sign in as anybody';
}
