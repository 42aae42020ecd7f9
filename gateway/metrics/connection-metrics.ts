import type { Registry } from 'prom-client';
import type { BodyBudget } from '../proxy/body-budget.ts';
import type { ConnectionLimiter } from '../server/connection-limiter.ts';
import { requests } from './catalogue.ts';
import { registerValue } from './register.ts';

export function registerConnectionMetrics(
  registry: Registry,
  connections: ConnectionLimiter,
  bodies: Pick<BodyBudget, 'bytes'>,
): void {
  registerValue(registry, requests.bodies, () => bodies.bytes);
  registerValue(registry, requests.connections, () => connections.open);
  registerValue(registry, requests.connectionsEvicted, () => connections.evicted);
  registerValue(registry, requests.connectionsRejected, () => connections.rejected);
}
