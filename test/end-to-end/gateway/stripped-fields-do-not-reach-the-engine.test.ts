import { afterAll, beforeAll, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({ backend: fakeBackend.backend });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

async function sentOn(body: object): Promise<unknown> {
  await using client = await RawClient.connect(corral.port);
  expect((await client.send(postOf(body)).response())?.status).toBe(200);
  return sent();
}

/** The body that arrived, without the gateway's own members. */
function sent(): unknown {
  const { stream: _, stream_options: __, ...fields } = JSON.parse(fakeBackend.received.at(-1)?.body ?? '');
  return fields;
}

it.each(['id_slot', 'sse_ping_interval'])('%s is removed, whatever its value', async (field) => {
  const rest = { ...chatOf('hëllo \u{1f600}'), seed: 12, nested: { [field]: 1 } };
  for (const value of [0, -1, null, 'x']) expect(await sentOn({ ...rest, [field]: value })).toEqual(rest);
});

it('both fields are removed together, even if one occurs twice', async () => {
  await using client = await RawClient.connect(corral.port);
  const body = '{"id_slot":1,"messages":[{"content":"x"}],"id_slot":2,"sse_ping_interval":-1}';
  await client.send(postOf(body)).response();
  expect(sent()).toEqual({ messages: [{ content: 'x' }] });
});
