import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const slots = 16;

it('over the replicas once one is more than 1.25 times as busy as the mean, and stay together if not', async () => {
  const held: ServerResponse[] = [];
  const start = () => startFakeBackend((_, response) => void held.push(response), { slots });
  await using first = await start();
  await using second = await start();
  const fakes: readonly FakeBackend[] = [first, second];
  const backends = fakes.map(({ backend }) => formatBackendUrl(backend.address));
  const file = join(newFolder(), 'models.json');
  writeFileSync(file, JSON.stringify({ version: 1, models: [{ id: 'guide', backends }] }));
  const env = { MODELS_FILE: file };
  await using corral = await startTestGateway({ backend: first.backend, untilReady: false, env });
  const counts = () => corral.gateway.overview.scheduler.counts;
  await waitFor('both', () => counts().capacity === 2 * slots);
  const send = (more: string) => {
    const begin = [
      { role: 'system', content: 'You answer questions about keys.' },
      { role: 'user', content: 'Hello' },
    ];
    const messages = [...begin, { role: 'assistant', content: 'Hello.' }, { role: 'user', content: more }];
    return fetch(`${corral.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
      body: JSON.stringify({ model: 'guide', messages }),
    });
  };
  const received = () => fakes.map((fake) => fake.received.length);
  const respond = () => {
    for (const response of held.splice(0)) response.end('{}');
  };
  for (let n = 0; n < 6; n++) {
    const answer = send(`${n}`);
    await waitFor('the request', () => held.length === 1);
    respond();
    expect((await answer).status).toBe(200);
    await waitFor('its slot', () => counts().leased === 0);
  }
  expect(Math.max(...received()), 'one after the other').toBe(6);
  const before = received();
  const answers: Promise<Response>[] = [];
  for (let n = 1; n <= slots; n++) {
    answers.push(send(`${n}`));
    await waitFor('the request', () => held.length === n);
    const busiest = Math.max(...received().map((count, at) => count - (before[at] ?? 0)));
    expect(busiest, `with ${n} at once`).toBeLessThanOrEqual(Math.ceil((1.25 * n) / 2));
  }
  respond();
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
});
