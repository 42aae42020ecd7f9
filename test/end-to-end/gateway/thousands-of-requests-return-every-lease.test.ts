import { expect, it } from 'vitest';
import { delta, echo, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** Behaves as the text of the request says. */
const scripted: BackendScenario = (request, response) => {
  if (request.body.includes('break')) return void response.destroy();
  if (request.body.includes('fail'))
    return void response.writeHead(500).end('{"error":{"code":500,"message":"no"}}');
  if (request.body.includes('stall')) return;
  if (!isForStream(request)) return echo(request, response);
  startStream(response).write(delta('one'));
  if (request.body.includes('cut')) response.destroy();
  else response.end('data: [DONE]\n\n');
};

const kinds: ((client: RawClient) => Promise<unknown>)[] = [
  (client) => client.send(postOf(chatOf('good'))).response(),
  (client) => client.send(postOf(chatOf('good', { stream: true, n: 3 }))).response(),
  (client) => client.send(postOf(chatOf('break'))).response(),
  (client) => client.send(postOf(chatOf('cut', { stream: true }))).response(),
  (client) => client.send(postOf(chatOf('fail'))).response(),
  (client) => client.send(postOf('{')).response(),
  (client) => client.send(postOf(chatOf('good'), { secret: 'sk-no' })).response(),
  (client) => client.send(postOf(chatOf('good')).repeat(10)).response(),
  (client) => client.send('rubbish\r\n\r\n').response(),
  async (client) => client.send(postOf(chatOf('stall', { stream: true }))).reset(),
  async (client) => client.send(postOf(chatOf('good')).repeat(5)).reset(),
  async (client) => client.send(postOf(chatOf('good')).slice(0, -5)).reset(),
];

/** With two requests each on average. */
const connections = 1200;

it('valid, invalid and aborted requests return every lease', async () => {
  await using fake = await startFakeBackend(scripted, { slots: 4 });
  const before = openSockets();
  const corral = await startTestGateway({ backend: fake.backend, env: { DRAIN_TIMEOUT: '1h' } });
  let next = 0;
  const runClient = async () => {
    while (next < connections) {
      const kind = kinds[next++ % kinds.length];
      await using client = await RawClient.connect(corral.port);
      await kind?.(client);
    }
  };
  await Promise.all(Array.from({ length: 16 }, runClient));
  await gatewayIsIdle(corral, fake);
  expect(corral.gateway.scheduler.counts).toEqual({ capacity: 4, leased: 0, waiting: 0 });
  expect(corral.logged.filter(({ error, cause }) => error === 'internal_error' && cause)).toEqual([]);
  await corral.stop();
  await waitFor('the sockets to be gone', () => openSockets() <= before);
});

const openSockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
