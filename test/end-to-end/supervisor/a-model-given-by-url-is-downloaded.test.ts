import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type DeploymentOptions, startDeployment } from '../../harness/start-deployment.ts';

const commit = '0123456789012345678901234567890123456789';
const demoModel = readFileSync(inject('demoModel'));

/** The part of the Hugging Face hub that llama-server uses, and the file at a plain URL. */
function resourceAt(path: string): Buffer | object | undefined {
  if (path.includes('/resolve/') || path === '/plain.gguf') return demoModel;
  if (path.endsWith('/refs'))
    return { branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commit }] };
  if (!path.includes('/tree/')) return undefined;
  const { length: size } = demoModel;
  return [
    {
      type: 'file',
      path: 'tales-Q4_K_M.gguf',
      size,
      oid: '1'.repeat(40),
      lfs: { oid: '2'.repeat(64), size },
    },
  ];
}

let hub: Server;
let origin: string;
const tokens = new Set<string | undefined>();

beforeAll(async () => {
  hub = createServer(({ url = '', headers }, response) => {
    tokens.add(headers.authorization);
    const result = resourceAt(url.split('?', 1)[0] ?? '');
    if (result === undefined) return void response.writeHead(404).end();
    const body = Buffer.isBuffer(result) ? result : Buffer.from(JSON.stringify(result));
    response.writeHead(200, { 'content-length': body.length, etag: '"first"' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(hub, 'listening');
  origin = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
});
afterAll(() => hub.close());

const deployment = (env: DeploymentOptions['env'] & object) =>
  startDeployment({ real: { engine: inject('engine'), model: '' }, env: { MODEL_PATH: '', ...env } });

it('MODEL_URL is downloaded to MODELS_DIR under its own name', async () => {
  await using running = await deployment({ MODEL_URL: `${origin}/plain.gguf` });
  await running.reachesStatus('ready');
  expect(existsSync(join(running.folder, 'data/models/plain.gguf'))).toBe(true);
  const models = await fetch(`http://127.0.0.1:${running.gatewayPort}/v1/models`, {
    headers: { 'x-api-key': 'sk-0123456789abcdef' },
  });
  expect(await models.json()).toMatchObject({ data: [{ id: 'plain' }] });
});

it('HF_REPO is downloaded to a cache on the data volume with HF_TOKEN, which never appears', async () => {
  await using running = await deployment({
    HF_REPO: 'someone/tales-GGUF',
    HF_TOKEN: 'hf_secret',
    HF_ENDPOINT: origin,
  });
  await running.reachesStatus('ready');
  expect(existsSync(join(running.folder, 'data/models/models--someone--tales-GGUF'))).toBe(true);
  expect(tokens).toContain('Bearer hf_secret');
  expect(running.output()).not.toContain('hf_secret');
});
