import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { startDemo } from '../../harness/start-demo.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const quick = { STREAM_HEADERS_AFTER: '100ms', STREAM_KEEPALIVE: '50ms' };
const requestBytes = (stream: boolean) =>
  postOf({ model: 'demo', stream, messages: [{ role: 'user', content: 'keys' }] }, { secret: testerSecret });

function textOf(received: string): string {
  return chatTextIn(parseEvents(received));
}

it('a queued stream reports its position, moves up, and gets its complete response', async () => {
  await using demo = await startDemo({ llama: { slots: 1 }, env: quick });
  const { scheduler } = demo.corral.gateway;
  const lane = { id: 'another', weight: 2, maxConcurrent: Infinity };
  const held = await scheduler.admit({ lane, slots: 1, signal: new AbortController().signal });
  if (held.outcome !== 'granted') throw new Error('the slot is taken');
  const first = (await RawClient.connect(demo.corral.port)).send(requestBytes(true));
  await waitFor('the first to be queued', () => scheduler.counts.waiting === 1);
  const second = (await RawClient.connect(demo.corral.port)).send(requestBytes(true));
  await first.receives(': queued 1 of 2\n\n');
  await second.receives(': queued 2 of 2\n\n');
  first.reset();
  await second.receives(': queued 1 of 1\n\n');
  held.lease[Symbol.dispose]();
  await second.receives('data: [DONE]');
  expect(second.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(textOf(second.text)).toBe(storyText('keys'));
  second.socket.destroy();
});

it('a stream that is rejected before its headers went out gets a status', async () => {
  await using demo = await startDemo({
    llama: { slots: 1 },
    env: { STREAM_HEADERS_AFTER: '1h', MAX_QUEUE_SIZE: '0' },
  });
  const { scheduler } = demo.corral.gateway;
  const lane = { id: 'another', weight: 2, maxConcurrent: Infinity };
  const held = await scheduler.admit({ lane, slots: 1, signal: new AbortController().signal });
  const client = (await RawClient.connect(demo.corral.port)).send(requestBytes(true));
  expect((await client.response())?.status).toBe(503);
  if (held.outcome === 'granted') held.lease[Symbol.dispose]();
  client.socket.destroy();
});

it('a stream that queues too long after its headers went out gets an error event', async () => {
  await using demo = await startDemo({ llama: { slots: 1 }, env: { ...quick, QUEUE_TIMEOUT: '400ms' } });
  const { scheduler } = demo.corral.gateway;
  const lane = { id: 'another', weight: 2, maxConcurrent: Infinity };
  const held = await scheduler.admit({ lane, slots: 1, signal: new AbortController().signal });
  const client = (await RawClient.connect(demo.corral.port)).send(requestBytes(true));
  const error = await waitFor('the error', () => /data: (\{"error".*\})/.exec(client.text)?.[1]);
  expect(JSON.parse(error)).toEqual({
    error: {
      message: expect.stringContaining('within the queue timeout'),
      type: 'server_error',
      param: null,
      code: 'queue_timeout',
    },
  });
  if (held.outcome === 'granted') held.lease[Symbol.dispose]();
  client.socket.destroy();
});
