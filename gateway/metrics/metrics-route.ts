import { Registry } from 'prom-client';
import { type Authenticator, authenticate, presentedSecrets } from '../middleware/authenticate.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { Metrics } from './metrics.ts';

/**
 * Decides who may read `/metrics`. If `METRICS_AUTH_ENABLED` is unset, everyone may read all metrics except those by key,
 * as with llama-gguf-inference. A key that is presented must be valid: otherwise `/metrics` would be a place to guess keys.
 */
export function authorizeMetrics(authenticator: Authenticator, authEnabled: boolean | undefined) {
  const requireKey = authenticate(authenticator, 'metrics', 'admin');
  return async function authorizeMetrics(c: GatewayContext, next: () => Promise<void>) {
    const hasNoKey = presentedSecrets(c.env.incoming.headers).length === 0;
    if (authEnabled === false || (authEnabled === undefined && hasNoKey)) return next();
    return requireKey(c, next);
  };
}

/** `GET /metrics`, in Prometheus' text format. */
export function handleMetrics(metrics: Pick<Metrics, 'render'>, authEnabled: boolean | undefined) {
  return async (c: GatewayContext) => {
    const showsKeys = authEnabled === false || c.get('key') !== undefined;
    const page = await metrics.render(showsKeys);
    return c.body(page, 200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE });
  };
}
