import type { Registry } from 'prom-client';
import type { BodyBudget } from '../carry/body-budget.ts';
import type { BoundedConnections } from '../connections/bound-connections.ts';
import { requests } from './catalogue.ts';
import { showFigure } from './show.ts';

export function showConnections(
  registry: Registry,
  connections: BoundedConnections,
  bodies: Pick<BodyBudget, 'bytes'>,
): void {
  showFigure(registry, requests.bodies, () => bodies.bytes);
  showFigure(registry, requests.connections, () => connections.open);
  showFigure(registry, requests.connectionsDisplaced, () => connections.displaced);
  showFigure(registry, requests.connectionsRefused, () => connections.refused);
}
