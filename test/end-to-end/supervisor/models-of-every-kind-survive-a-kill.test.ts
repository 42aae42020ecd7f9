import { expect, inject, it } from 'vitest';
import { taleText } from '../../../cli/demo-model/tales.ts';
import type { DemoModelName } from '../../../cli/demo-model/write-demo-model.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { expectedEmbedding, expectedScore, similarity } from '../../services/demo-model-values.ts';
import { demoModelArguments, demoModelFile } from '../../services/demo-models.ts';

const secret = 'sk-0123456789abcdef';

async function startWith(name: DemoModelName): Promise<RunningDeployment> {
  const deployment = await startDeployment({
    real: { engine: inject('engine'), model: await demoModelFile(name) },
    env: {
      EXTRA_ARGS: demoModelArguments[name].join(' '),
      MAX_REQUESTS_PER_MINUTE: '0',
      CTX: name === 'tales' ? '16384' : '512',
      PARALLEL: '2',
      RESTART_DELAY_MIN: '50ms',
    },
  });
  await deployment.reachesStatus('ready');
  return deployment;
}

async function post<T>({ gatewayPort }: RunningDeployment, path: string, body: object): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${gatewayPort}${path}`, {
    method: 'POST',
    headers: { 'x-api-key': secret, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as T;
}

/** Sends requests before, during and after a kill -9 of llama-server. */
async function aroundKill<T>(deployment: RunningDeployment, send: () => Promise<T>): Promise<T[]> {
  const [engine = 0] = deployment.children();
  const results = Array.from({ length: 6 }, send);
  killProcess(engine, 'SIGKILL');
  await waitFor('the engine to exit', () => !isRunning(engine));
  results.push(...Array.from({ length: 6 }, send));
  const all = await Promise.all(results);
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 1, gateway: 0 } });
  return all;
}

it('the second chat model goes on with its own story, to the byte', async () => {
  await using deployment = await startWith('tales');
  await using client = await RawClient.connect(deployment.gatewayPort);
  const body = { messages: [{ role: 'user', content: 'a long story' }], stream: true };
  await client.send(postOf(body, { secret })).receives('Lamp 30,');
  killProcess(deployment.children()[0], 'SIGKILL');
  const response = await client.response();
  expect(chatTextIn(parseEvents(response?.body ?? ''))).toBe(taleText('long story'));
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 1, gateway: 0 } });
});

it('an embedding model gives each text its vector', async () => {
  await using deployment = await startWith('embeddings');
  const input = ['Which horse eats the hay?', 'Trains leave from platform 9.'];
  const results = await aroundKill(deployment, () =>
    post<{ data: { embedding: number[] }[] }>(deployment, '/v1/embeddings', { input }),
  );
  for (const { data } of results) {
    for (const [place, text] of input.entries())
      expect(similarity(data[place]?.embedding ?? [], expectedEmbedding(text))).toBeGreaterThan(0.999);
  }
});

it('a rerank model gives each document its score', async () => {
  await using deployment = await startWith('rerank');
  const query = 'Which horse eats the hay?';
  const documents = ['Trains leave from platform 9.', 'A horse that eats hay.', 'Horses eat.'];
  const results = await aroundKill(deployment, () =>
    post<{ results: { index: number; relevance_score: number }[] }>(deployment, '/v1/rerank', {
      query,
      documents,
    }),
  );
  for (const { results: ranked } of results) {
    expect(ranked.map(({ index }) => index)).toEqual([1, 2, 0]);
    for (const { index, relevance_score } of ranked)
      expect(relevance_score).toBeCloseTo(expectedScore(query, documents[index] ?? ''), 1);
  }
});
