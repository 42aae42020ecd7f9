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

/** An upstream that sends `total` bytes as fast as they are taken, and tells how many were. */
function pourer() {
  const piece = delta('x'.repeat(16_000));
  const poured = { bytes: 0 };
  const mood: BackendScenario = async (request, response) => {
    poured.bytes = 0;
    const isStream = isForStream(request);
    if (isStream) startStream(response);
    let wake = () => {};
    for (const event of ['drain', 'close']) response.on(event, () => wake());
    while (poured.bytes < total && !response.destroyed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      poured.bytes += piece.length;
      if (!response.write(piece)) await promise;
    }
    response.end(isStream ? 'data: [DONE]\n\n' : '');
  };
  return { mood, poured };
}

/** Waits until a number has stayed the same for some looks. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  let same = 0;
  await waitFor('the upstream to be held back', () => {
    same = read() === last && last > 0 ? same + 1 : 0;
    last = read();
    return same >= 20;
  });
  return last;
}

it.each([true, false])('holds the upstream back and loses nothing (stream: %s)', async (stream) => {
  const { mood, poured } = pourer();
  await using standIn = await startFakeBackend(mood);
  await using corral = await startTestGateway({ backend: standIn.backend });
  await using client = await RawClient.connect(corral.port);
  client.socket.pause();
  client.send(postOf(chatOf('hello', { stream })));
  const held = await settled(() => poured.bytes);
  // What the sockets of the kernel hold on both legs, a few MB each, and our own buffers.
  expect(held).toBeLessThan(24 * MB);
  expect(corral.gateway.scheduler.counts.leased).toBe(1);

  let read = 0;
  client.socket.removeAllListeners('data').on('data', (chunk) => {
    read += chunk.length;
  });
  client.socket.resume();
  await gatewayIsIdle(corral, standIn);
  await waitFor('the client to have all', () => read >= poured.bytes);
  expect(poured.bytes).toBeGreaterThanOrEqual(total);
});

it('lets no client that reads nothing hold its slot for longer than the idle limit', async () => {
  const { mood } = pourer();
  await using standIn = await startFakeBackend(mood);
  await using corral = await startTestGateway({
    backend: standIn.backend,
    env: { STREAM_IDLE_TIMEOUT: '500ms' },
  });
  await using client = await RawClient.connect(corral.port);
  client.socket.pause();
  client.send(postOf(chatOf('hello', { stream: true })));
  await waitFor('the stream to run', () => standIn.open === 1);
  await gatewayIsIdle(corral, standIn);
});
