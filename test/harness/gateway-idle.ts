import type { FakeBackend } from '../fakes/start-fake-backend.ts';
import type { TestGateway } from './start-gateway.ts';
import { waitFor } from './wait-for.ts';

/** Waits until there is no lease, no queued request, and no open request at the backend. */
export async function gatewayIsIdle({ gateway }: TestGateway, backend?: FakeBackend): Promise<void> {
  await waitFor('the gateway to hold no lease and no upstream', () => {
    const { leased, waiting } = gateway.scheduler.counts;
    return leased === 0 && waiting === 0 && (backend?.open ?? 0) === 0;
  });
}
