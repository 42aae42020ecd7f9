import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const secret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';

let folder: TemporaryFolder;
let models: ServedModels;
let records: readonly object[];

const targets = (stable: number, canary: number) => [
  { model: 'stable', weight: stable },
  { model: 'canary', weight: canary },
];

beforeAll(async () => {
  records = [
    { id: 'stable', path: await demoModelFile('guide'), pin: true, parallel: 2, ctx: 16384 },
    { id: 'canary', path: await demoModelFile('guide'), pin: true, parallel: 2, ctx: 16384 },
  ];
  folder = await temporaryFolder();
  const keys = keyFileText({ ops: { secret, scopes: ['admin', 'inference'] } });
  writeFileSync(folder.file('keys.json'), keys, { mode: 0o600 });
  models = await startServedModels(
    { models: records, aliases: [{ name: 'latest', targets: targets(90, 10) }] },
    { AUTH_ENABLED: 'true', AUTH_KEYS_FILE: folder.file('keys.json') },
  );
  await models.deployment.reachesStatus('ready');
});
afterAll(async () => {
  await models?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const post = (content: string, fields: object = {}) =>
  models.post(
    '/v1/chat/completions',
    { model: 'latest', max_tokens: 1, messages: [{ role: 'user', content }], ...fields },
    { 'x-api-key': secret },
  );

async function targetOf(content: string): Promise<string> {
  const response = await post(content);
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { model: string }).model;
}

async function countCanary(requests: number, name = 'conversation'): Promise<number> {
  let count = 0;
  for (let n = 0; n < requests; n++) if ((await targetOf(`${name} ${n}`)) === 'canary') count += 1;
  return count;
}

describe('an alias', () => {
  it('gives a canary its share of the conversations, and each of them always the same target', async () => {
    const first = await countCanary(200);
    expect(first).toBeGreaterThan(5);
    expect(first).toBeLessThan(40);
    expect(await countCanary(200)).toBe(first);
  });

  it('is promoted under open streams: none of them fails, and new requests switch', async () => {
    const open = await Promise.all(
      Array.from({ length: 4 }, (_, n) => post(`${n}: a long story`, { stream: true, max_tokens: 16000 })),
    );
    models.write({ models: records, aliases: [{ name: 'latest', targets: [{ model: 'canary' }] }] });
    await waitFor('the switch', async () => (await targetOf('conversation 1')) === 'canary');
    expect(await countCanary(20)).toBe(20);
    for (const response of open)
      expect(chatTextIn(parseEvents(await response.text()))).toBe(storyText('long story'));
  });

  it('loses a canary that has crashed twice', async () => {
    models.write({ models: records, aliases: [{ name: 'latest', targets: targets(50, 49) }] });
    let tried = 0;
    await waitFor('the switch', async () => (await countCanary(8, `${tried++}: new`)) < 8);
    for (let crash = 0; crash < 2; crash++) {
      await models.reaches('canary', 'loaded');
      await waitFor('the canary to serve', async () => (await post('x', { model: 'canary' })).ok);
      const pid = await models.pidOf('canary');
      killProcess(pid, 'SIGKILL');
      await waitFor('its end', async () => !models.pidsOf('canary').includes(pid));
    }
    await waitFor('the log line', async () =>
      models.deployment.output().includes('the canary canary gets no more'),
    );
    expect(await countCanary(20)).toBe(0);
  });

  it('shows in /status that it has lost it, and tries it again when the same targets are set', async () => {
    const shown = async () => (await models.deployment.status()).aliases?.[0]?.targets[1];
    const out = { model: 'canary', weight: 49, effectiveWeight: 0, suspended: 'crashed' };
    await waitFor('the status', async () => (await shown())?.suspended !== null);
    expect(await shown()).toEqual(out);
    const response = await fetch(`${models.origin}/admin/aliases/latest`, {
      method: 'PUT',
      headers: { 'x-api-key': secret },
      body: JSON.stringify({ targets: targets(50, 49) }),
    });
    expect(response.status).toBe(200);
    await waitFor('the status', async () => (await shown())?.suspended === null);
    expect(await shown()).toEqual({ ...out, effectiveWeight: 49, suspended: null });
    await models.reaches('canary', 'loaded');
    // The conversations of before stay where they are.
    expect(await countCanary(20, 'after it')).toBeGreaterThan(0);
  });
});
