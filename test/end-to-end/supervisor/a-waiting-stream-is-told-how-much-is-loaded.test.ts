import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { startModels } from '../../harness/start-models.ts';

const secret = 'sk-app-0123456789abcdefghijklmnopqrstuvwxyz0123';

async function readUntil(response: Response, text: string): Promise<string> {
  let received = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    received += piece;
    if (received.includes(text)) return received;
  }
  throw new Error(`the stream ended without ${text}: ${received}`);
}

it('in comments, by the reports of the engine, under the id of the model', async () => {
  // A model called `slow` reports that 42 % are loaded, and waits for a file.
  await using models = await startModels({
    fakes: true,
    gatewayKeys: keyFileText({ app: { secret } }),
    models: [
      { id: 'org/b', file: 'slow' },
      { id: 'c', file: 'ready' },
    ],
    env: { MEMORY_BUDGET: '8GiB', STREAM_HEADERS_AFTER: '100ms', STREAM_KEEPALIVE: '100ms' },
  });
  await models.deployment.reachesStatus('ready');
  const response = await fetch(`http://127.0.0.1:${models.deployment.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': secret, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'org/b', stream: true, messages: [{ role: 'user', content: 'x' }] }),
  });
  expect(response.status).toBe(200);
  const told = await readUntil(response, ': loading org/b, 42 %\n\n');
  // Nothing else is in the stream of a client that waits.
  expect(told.replaceAll(/: (?:loading org\/b(?:, 42 %)?|keep-alive)\n\n/g, '')).toBe('');
  expect((await models.model('org/b')).loadProgress).toBe(0.42);
  writeFileSync(join(models.deployment.folder, 'models', 'loaded'), '');
  await models.reaches('org/b', 'loaded');
  expect((await models.model('org/b')).loadProgress).toBeNull();
});
