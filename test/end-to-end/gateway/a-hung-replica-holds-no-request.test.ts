import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { formatBackendUrl } from '../../../health/backend.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startLlamaServer } from '../../services/start-llama-server.ts';

it('as soon as it does not respond to probes any more, and gets work again when it does', async () => {
  await using hung = await startLlamaServer({ apiKey: null, slots: 1 });
  await using serving = await startLlamaServer({ apiKey: null, slots: 1 });
  const backends = [hung, serving].map(({ backend }) => formatBackendUrl(backend.address));
  const file = join(newFolder(), 'models.json');
  writeFileSync(file, JSON.stringify({ version: 1, models: [{ id: 'guide', backends }] }));
  // The idle timeout would end the streams of a hung engine, and not continue them.
  const env = { MODELS_FILE: file, STREAM_IDLE_TIMEOUT: '0', FIRST_BYTE_TIMEOUT: '0' };
  await using corral = await startTestGateway({ backend: hung.backend, untilReady: false, env });
  const counts = () => corral.gateway.overview.scheduler.counts;
  await waitFor('both', () => counts().capacity === 2);
  const ask = (stream: boolean) =>
    fetch(`${corral.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
      body: JSON.stringify({ model: 'guide', stream, messages: [{ role: 'user', content: 'A long story' }] }),
    });
  const streams = await Promise.all([ask(true), ask(true)]);
  hung.kill('SIGSTOP');
  const texts = await Promise.all(streams.map((response) => response.text()));
  for (const text of texts) expect(chatTextIn(parseEvents(text))).toBe(storyText('long story'));
  expect(counts()).toMatchObject({ capacity: 1, waiting: 0 });
  hung.kill('SIGCONT');
  await waitFor('both again', () => counts().capacity === 2);
  const further = [ask(false), ask(false)];
  await waitFor('both to have work', () => counts().leased === 2);
  for (const { status } of await Promise.all(further)) expect(status).toBe(200);
});
