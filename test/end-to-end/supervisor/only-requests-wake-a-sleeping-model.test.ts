import { expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secret = 'sk-0123456789abcdef';
const entering = 'server is entering sleeping state';
const exiting = 'server is exiting sleeping state';

const originOf = ({ gatewayPort }: RunningDeployment) => `http://127.0.0.1:${gatewayPort}`;
const countLogLines = (deployment: RunningDeployment, text: string) =>
  deployment.output().split(text).length - 1;
const sleeps = (deployment: RunningDeployment) =>
  waitFor('the model to sleep', async () => {
    const { backend } = (await requestGateway(originOf(deployment), 'GET /health', undefined)).body;
    return (await deployment.status()).sleeping && (backend as { sleeping: boolean }).sleeping;
  });

/** Every request that needs nothing from the model. */
async function probeAndScrape(deployment: RunningDeployment): Promise<void> {
  for (const path of ['/ping', '/readyz', '/livez', '/status']) await deployment.request(path);
  for (const path of ['/ping', '/health', '/readyz', '/livez', '/metrics'])
    await (await fetch(originOf(deployment) + path, { headers: { 'x-api-key': secret } })).text();
  await requestGateway(originOf(deployment), 'GET /v1/models', secret);
}

it('a model sleeps through probes and scrapes; a request wakes it and gets keep-alives until it is served', async () => {
  await using deployment = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: {
      SLEEP_IDLE_SECONDS: '1',
      STREAM_HEADERS_AFTER: '1ms',
      STREAM_KEEPALIVE: '1ms',
      MAX_REQUESTS_PER_MINUTE: '0',
    },
  });
  await waitFor('the first token', () => deployment.output().includes('first token received'));
  await sleeps(deployment);
  // On a slow machine it may have slept before the first token, too.
  await waitFor(
    'the log line of the sleep',
    () => countLogLines(deployment, entering) === countLogLines(deployment, exiting) + 1,
  );
  const [slept, wakeUps] = [countLogLines(deployment, entering), countLogLines(deployment, exiting)];
  const asleepSince = performance.now();
  await waitFor(
    'four periods of sleep under probes',
    async () => {
      await probeAndScrape(deployment);
      return performance.now() - asleepSince > 4000;
    },
    { every: 100 },
  );
  expect([countLogLines(deployment, entering), countLogLines(deployment, exiting)]).toEqual([slept, wakeUps]);
  expect(await deployment.status()).toMatchObject({ standing: 'ready', sleeping: true });

  await using client = await RawClient.connect(deployment.gatewayPort);
  const body = JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'survival' }] });
  client.send(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-api-key: ${secret}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const response = await client.response();
  expect(response?.status).toBe(200);
  const [beforeTheFirst = '', ...events] = (response?.body ?? '').split('data: ');
  expect(beforeTheFirst).toMatch(/^(: keep-alive\n\n)+$/);
  expect(textOf(events)).toBe(storyText('survival'));
  await waitFor('the log line of its waking', () => countLogLines(deployment, exiting) === wakeUps + 1);
  expect(countLogLines(deployment, 'backend is ready')).toBe(1);
  expect(await deployment.status()).toMatchObject({ standing: 'ready', restarts: { engine: 0, gateway: 0 } });
  await sleeps(deployment);
  await waitFor('the log line of the sleep', () => countLogLines(deployment, entering) === slept + 1);
});

function textOf(events: readonly string[]): string {
  return events
    .map((event) => event.split('\n\n', 1)[0] ?? '')
    .filter((event) => event.startsWith('{'))
    .map((event) => JSON.parse(event).choices?.[0]?.delta?.content ?? '')
    .join('');
}
