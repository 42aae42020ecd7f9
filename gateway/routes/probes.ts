import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { ModelNames } from '../models/model-names.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { CapacityGate } from '../scheduler/capacity-gate.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';

export interface ProbeOptions {
  readonly monitor: BackendMonitor;
  readonly scheduler: Scheduler;
  readonly gate: CapacityGate;
  readonly models: ModelNames;
  /** Undefined where authentication is off. */
  readonly keys: KeyStore | undefined;
}

/** What probes of the gateway's port get (contract.md, "Health server"): no key, no call to the backend. */
export function createProbes({ monitor, scheduler, gate, keys, models }: ProbeOptions) {
  const standing = () => (scheduler.isDraining ? 'draining' : gate.status);
  const isGone = () => ['draining', 'failed'].includes(standing());
  return {
    ping(c: GatewayContext) {
      if (isGone()) return c.body(null, 503);
      return c.body(null, standing() === 'ready' ? 200 : 204);
    },
    livez: (c: GatewayContext) => c.text('ok'),
    readyz: (c: GatewayContext) => (standing() === 'ready' ? c.text('ready') : c.text(standing(), 503)),
    health(c: GatewayContext) {
      const { capacity, leased, waiting } = scheduler.counts;
      const body = {
        status: standing(),
        model: models.public[0] ?? null,
        backend: {
          standing: monitor.status,
          since: new Date(monitor.since).toISOString(),
          sleeping: monitor.status === 'ready' && monitor.props?.sleeping === true,
        },
        queue: { waiting },
        slots: { total: capacity, busy: leased },
        // What is wrong is for the log and for administrators: it names files.
        ...(keys && { keys: { problem: keys.problem !== undefined } }),
      };
      return c.json(body, standing() === 'ready' ? 200 : 503);
    },
  };
}
