import type { FakeBackend } from '../fakes/start-fake-backend.ts';
import type { TestGateway } from './start-gateway.ts';
import { waitFor } from './wait-for.ts';

/** Waits until no lease is out, nobody waits, and nothing is open at the backend. */
export async function gatewayIsIdle({ gateway }: TestGateway, standIn?: FakeBackend): Promise<void> {
  await waitFor('the gateway to hold no lease and no upstream', () => {
    const { leased, waiting } = gateway.scheduler.counts;
    return leased === 0 && waiting === 0 && (standIn?.open ?? 0) === 0;
  });
}
