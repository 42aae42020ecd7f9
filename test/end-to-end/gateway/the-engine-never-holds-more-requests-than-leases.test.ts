import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { sourceText } from '../../harness/source-text.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { watchEngineLoad } from '../../harness/watch-engine-load.ts';

const slots = 4;
let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ llama: { slots, context: 20_000 } });
});
afterAll(() => demo.stop());

const endless = { stream: true, max_tokens: 15_000, ignore_eos: true };
const story = (fields: object) => postOf(chatOf('Tell me a long story', fields));

/** What each client sends, and receives before it disconnects. */
const sessions: ((client: RawClient) => Promise<unknown>)[] = [
  (client) => client.send(story(endless)).receives('"content":"'),
  async (client) => client.send(story(endless)),
  (client) => client.send(story(endless)).receives('HTTP/1.1 200'),
  (client) => client.send(story({ ...endless, n: 2 })).receives('"content":"'),
  (client) => client.send(story({ stream: true, max_tokens: 5 })).response(),
  (client) => client.send(story({ max_tokens: 5 })).response(),
];

it('hundreds of clients that disconnect at any moment never occupy more slots than are leased', async () => {
  const { scheduler } = demo.corral.gateway;
  await using watched = watchEngineLoad(demo.engine.backend, () => scheduler.counts.leased);
  let next = 0;
  const full = () => watched.samples.filter(({ busy }) => busy >= slots - 1).length;
  const isEnough = () => next >= 400 && watched.samples.length > 100 && full() > 10;
  const runClient = async () => {
    while (!isEnough()) {
      const session = sessions[next++ % sessions.length];
      await using client = await RawClient.connect(demo.corral.port);
      await session?.(client);
      client.reset();
    }
  };
  await Promise.all(Array.from({ length: 3 * slots }, runClient));
  await gatewayIsIdle(demo.corral);
  expect(watched.samples.filter(({ busy, leased }) => busy > leased)).toEqual([]);
  expect(scheduler.counts).toEqual({ capacity: slots, leased: 0, waiting: 0 });
  const warning = sourceText('still works on an aborted request');
  const warnings = demo.corral.logged.filter(({ msg }) => String(msg).includes(warning));
  expect(warnings).toEqual([]);
});
