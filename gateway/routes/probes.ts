import type { KeyStore } from '../../keys/key-store.ts';
import type { EngineOverview } from '../engines/models-overview.ts';
import type { PublicNames } from '../models/model-names.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

export interface ProbeOptions {
  readonly overview: EngineOverview;
  readonly models: PublicNames;
  /** Undefined where authentication is disabled. */
  readonly keys: KeyStore | undefined;
}

/** Responses to probes of the gateway's port: they need no key and do not call the backend. */
export function createProbes({ overview, keys, models }: ProbeOptions) {
  const { monitor, scheduler, gate } = overview;
  const status = () => (scheduler.isDraining ? 'draining' : gate.status);
  const isUnavailable = () => ['draining', 'failed'].includes(status());
  return {
    ping(c: GatewayContext) {
      if (isUnavailable()) return c.body(null, 503);
      return c.body(null, status() === 'ready' ? 200 : 204);
    },
    livez: (c: GatewayContext) => c.text('ok'),
    readyz: (c: GatewayContext) => (status() === 'ready' ? c.text('ready') : c.text(status(), 503)),
    health(c: GatewayContext) {
      const { capacity, leased, waiting } = scheduler.counts;
      const body = {
        status: status(),
        model: models.public[0] ?? null,
        backend: {
          standing: monitor.status,
          since: new Date(monitor.since).toISOString(),
          sleeping: monitor.status === 'ready' && monitor.props?.sleeping === true,
        },
        queue: { waiting },
        slots: { total: capacity, busy: leased },
        // The problem itself names files, so it goes to the log and to administrators only.
        ...(keys && { keys: { problem: keys.problem !== undefined } }),
      };
      return c.json(body, status() === 'ready' ? 200 : 503);
    },
  };
}
