import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const names = ['latest', 'größte', 'モデル', 'команда/новая', 'ا1'];

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend(({ body }, response) => {
    response.statusCode = body.includes('fail') ? 400 : 200;
    response.setHeader('content-type', 'application/json').end('{"choices":[],"error":{"message":"failed"}}');
  });
  const file = join(newFolder(), 'models.json');
  const models = [{ id: 'guide', backends: [formatBackendUrl(fake.backend.address)] }];
  const aliases = names.map((name) => ({ name, targets: [{ model: 'guide' }] }));
  writeFileSync(file, JSON.stringify({ version: 1, models, aliases }));
  corral = await startTestGateway({ backend: fake.backend, untilReady: false, env: { MODELS_FILE: file } });
  await waitFor('the backend', () => corral.gateway.overview.scheduler.counts.capacity > 0);
});
afterAll(async () => {
  await corral?.stop();
  await fake.stop();
});

function ask(model: string, fields: object): Promise<Response> {
  return fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], ...fields }),
    signal: AbortSignal.timeout(60_000),
  });
}

describe.each(names)('%s', (name) => {
  it.each([
    ['a response', {}, 200],
    ['an error', { user: 'fail' }, 400],
  ])('%s names it', async (_, fields, status) => {
    const response = await ask(name, fields);
    expect(response.status).toBe(status);
    expect(decodeURIComponent(response.headers.get('x-corral-alias') ?? '')).toBe(name);
    await response.text();
  });
});
