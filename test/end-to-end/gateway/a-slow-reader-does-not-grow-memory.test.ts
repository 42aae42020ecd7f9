import { expect, it } from 'vitest';
import { delta, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MB = 1024 * 1024;
const total = 48 * MB;

/** A backend that sends `total` bytes as fast as they are read, and counts them. */
function countingBackend() {
  const piece = delta('x'.repeat(16_000));
  const sent = { bytes: 0 };
  const scenario: BackendScenario = async (request, response) => {
    sent.bytes = 0;
    const isStream = isForStream(request);
    if (isStream) startStream(response);
    let wake = () => {};
    for (const event of ['drain', 'close']) response.on(event, () => wake());
    while (sent.bytes < total && !response.destroyed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      sent.bytes += piece.length;
      if (!response.write(piece)) await promise;
    }
    response.end(isStream ? 'data: [DONE]\n\n' : '');
  };
  return { scenario, sent };
}

/** Waits until a number has stayed the same for some time. */
async function whenStable(read: () => number): Promise<number> {
  let last = -1;
  let same = 0;
  await waitFor('the backend to be paused', () => {
    same = read() === last && last > 0 ? same + 1 : 0;
    last = read();
    return same >= 20;
  });
  return last;
}

it.each([true, false])(
  'a client that does not read pauses the backend and loses nothing (stream: %s)',
  async (stream) => {
    const { scenario, sent } = countingBackend();
    await using fake = await startFakeBackend(scenario);
    await using corral = await startTestGateway({ backend: fake.backend });
    await using client = await RawClient.connect(corral.port);
    client.socket.pause();
    client.send(postOf(chatOf('hello', { stream })));
    const held = await whenStable(() => sent.bytes);
    // The kernel's socket buffers on both connections, a few MB each, and our own buffers.
    expect(held).toBeLessThan(24 * MB);
    expect(corral.gateway.scheduler.counts.leased).toBe(1);

    let read = 0;
    client.socket.removeAllListeners('data').on('data', (chunk) => {
      read += chunk.length;
    });
    client.socket.resume();
    await gatewayIsIdle(corral, fake);
    await waitFor('the client to have all', () => read >= sent.bytes);
    expect(sent.bytes).toBeGreaterThanOrEqual(total);
  },
);

it('a client that reads nothing is disconnected at the idle timeout, and its slot is free', async () => {
  const { scenario } = countingBackend();
  await using fake = await startFakeBackend(scenario);
  await using corral = await startTestGateway({
    backend: fake.backend,
    env: { STREAM_IDLE_TIMEOUT: '500ms' },
  });
  await using client = await RawClient.connect(corral.port);
  client.socket.pause();
  client.send(postOf(chatOf('hello', { stream: true })));
  await waitFor('the stream to run', () => fake.open === 1);
  await gatewayIsIdle(corral, fake);
});
