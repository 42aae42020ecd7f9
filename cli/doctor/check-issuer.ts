import { fetchIssuerKeys } from '../../gateway/oidc/fetch-issuer.ts';
import type { Settings } from '../../settings/variables.ts';
import type { ProblemsByTopic } from '../../supervisor/preflight.ts';
import type { Finding } from './finding.ts';

/** Whether tokens can be verified. What is wrong with the settings or the claims file is among the mistakes of the keys. */
export async function checkIssuer(
  { OIDC_ISSUER: issuer, AUTH_ENABLED: isRequired }: Pick<Settings, 'OIDC_ISSUER' | 'AUTH_ENABLED'>,
  mistakes: Pick<ProblemsByTopic, 'keys'>,
): Promise<Finding[]> {
  const about = 'sign-in';
  if (issuer === undefined || !isRequired) return [];
  try {
    const { keys } = await fetchIssuerKeys(issuer);
    const count = `${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`;
    const isUsed = mistakes.keys.length === 0 ? '' : '; the claims file is not in order, see above';
    return [{ about, verdict: 'good', message: `${issuer} publishes ${count}${isUsed}` }];
  } catch (error) {
    const message = `the keys of the issuer cannot be read: ${(error as Error).message}`;
    const fix = 'check OIDC_ISSUER and the network; for a certificate of your own, set NODE_EXTRA_CA_CERTS';
    return [{ about, verdict: 'bad', message, fix }];
  }
}
