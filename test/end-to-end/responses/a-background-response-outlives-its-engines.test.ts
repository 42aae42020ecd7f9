import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { stories, storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { type CuttingBackend, startCuttingBackend } from '../../fakes/start-cutting-backend.ts';
import {
  type BackgroundGateway,
  startBackground,
  type TestRunner,
  textOf,
} from '../../harness/start-background.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

const maxReplays = 2;
let llama: LlamaServer;
let wire: CuttingBackend;
let background: BackgroundGateway;
let runner: TestRunner;
beforeAll(async () => {
  llama = await startLlamaServer({ slots: 2 });
  wire = await startCuttingBackend(llama);
  background = await startBackground(wire.backend, { MAX_REPLAYS: String(maxReplays) });
  runner = background.startRunner();
});
afterAll(async () => {
  await background[Symbol.asyncDispose]();
  await wire.stop();
  await llama.stop();
});
beforeEach(() => {
  wire.cuts = [];
});

const thinking = stories.find(({ topic }) => topic === 'thinking');
const restartsOf = (id: string) =>
  runner.logged.filter(({ response, msg }) => response === id && msg === 'background response begins anew');

it('a text is continued by the next engine, as often as it makes progress', async () => {
  wire.cuts = [9, 9, 9, 9];
  const { id } = await background.create('survival');
  expect(textOf(await background.ended(id))).toBe(storyText('survival'));
  const logged = await waitFor('its log line', () => background.corral.logged.find((it) => it.id === id));
  expect(logged).toMatchObject({ continued: 4 });
  expect(restartsOf(id)).toEqual([]);
});

it('reasoning begins anew', async () => {
  wire.cuts = [8];
  const { id } = await background.create('thinking');
  const { status, output } = await background.ended(id);
  expect(status).toBe('completed');
  expect(output.map(({ content }) => content[0]?.text)).toEqual([thinking?.thought, thinking?.text]);
  expect(restartsOf(id)).toMatchObject([{ times: 1, reason: 'it has reasoning or a tool call' }]);
  const numbers = background.eventsOf(id).map(({ sequence }) => sequence);
  expect(numbers[0]).toBeGreaterThan(5);
  expect(numbers).toEqual(numbers.map((_, n) => (numbers[0] ?? 0) + n));
});

it('what breaks off again and again fails, and says why', async () => {
  wire.cuts = Array(50).fill(8);
  const { id } = await background.create('thinking');
  const following = await background.follow(id, 1);
  const { status, error } = await background.ended(id);
  expect(status).toBe('failed');
  expect(error).toMatchObject({
    code: 'server_error',
    message: expect.stringContaining('broke off too often'),
  });
  expect(restartsOf(id)).toHaveLength(maxReplays);
  expect(await following.text()).toContain('events_lost');
  const kept = parseEvents(await (await background.follow(id)).text());
  expect(kept.map(({ type }) => type)).toEqual(['response.created', 'response.failed']);
});

it('an invalid request is rejected at once, and one that turns out to be wrong later fails', async () => {
  const request = { model: 'demo', background: true };
  const wrong = await background.send('POST /v1/responses', { ...request, input: [{ type: 'nothing' }] });
  expect(wrong).toMatchObject({ status: 400, body: { error: { param: 'input[0]' } } });
  const unstored = await background.send('POST /v1/responses', { ...request, input: 'x', store: false });
  expect(unstored).toMatchObject({ status: 400, body: { error: { code: 'background_requires_store' } } });
  const text = { format: { type: 'json_schema', name: 'x', schema: { type: 'nothing' } } };
  const { id } = await background.create('limits', { text });
  expect(await background.ended(id)).toMatchObject({ status: 'failed', error: { code: 'invalid_prompt' } });
});
