import { Registry } from 'prom-client';
import { type Authenticator, authenticate } from '../middleware/authenticate.ts';
import { presentedSecrets } from '../middleware/presented-secrets.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { Metrics } from './metrics.ts';

/**
 * Who may read `/metrics`. Where `METRICS_AUTH_ENABLED` is unset, everybody may read all but the figures of single keys,
 * as the Python ancestor's readers could; a key that is shown has to be a good one, or this were the place to guess at.
 */
export function authorizeMetrics(doorkeeper: Authenticator, authEnabled: boolean | undefined) {
  const byKey = authenticate(doorkeeper, 'metrics', 'admin');
  return async function mayReadMetrics(c: GatewayContext, next: () => Promise<void>) {
    const showsNone = presentedSecrets(c.env.incoming.headers).length === 0;
    if (authEnabled === false || (authEnabled === undefined && showsNone)) return next();
    return byKey(c, next);
  };
}

/** `GET /metrics`, in Prometheus' text form. */
export function handleMetrics(metrics: Metrics, authEnabled: boolean | undefined) {
  return async (c: GatewayContext) => {
    const seesKeys = authEnabled === false || c.get('key') !== undefined;
    const page = await metrics.page(seesKeys);
    return c.body(page, 200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE });
  };
}
