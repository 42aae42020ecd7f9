import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { type FakeRunpod, startFakeRunpod } from '../../fakes/fake-runpod.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

let runpod: FakeRunpod;
let deployment: RunningDeployment;

beforeAll(async () => {
  runpod = await startFakeRunpod();
  deployment = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: {
      ...runpod.env,
      ...{ PARALLEL: '2', CTX: '32768', MODEL_ALIAS: 'demo', DRAIN_TIMEOUT: '2m' },
      MAX_REQUESTS_PER_MINUTE: '1',
    },
  });
});
afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
  await runpod[Symbol.asyncDispose]();
});

const client = () => new OpenAI({ baseURL: runpod.baseURL, apiKey: 'the key of RunPod', maxRetries: 0 });
const question = (content: string) => ({ model: 'demo', messages: [{ role: 'user' as const, content }] });

describe("RunPod's route for OpenAI clients", () => {
  it('streams exactly the text of the engine', async () => {
    const stream = await client().chat.completions.create({ ...question('show me emoji'), stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(storyText('emoji'));
  });

  it('returns complete responses, and lists the models', async () => {
    const completion = await client().chat.completions.create(question('tell me about keys'));
    expect(completion.choices[0]?.message.content).toBe(storyText('keys'));
    expect((await client().models.list()).data.map(({ id }) => id)).toEqual(['demo']);
  });

  it('returns the reason for a rejected request', async () => {
    const body = { ...question('hello'), max_tokens: 'many' as never };
    await expect(client().chat.completions.create(body)).rejects.toMatchObject({
      error: { status: 400, error_type: expect.stringMatching(/invalid/) },
    });
  });
});

describe('jobs of the queue', () => {
  it('may have the format of RunPod’s own tests, and are accounted to a key of their own', async () => {
    const { results } = await runpod.finished(runpod.add({ prompt: 'hello', max_tokens: 5 }));
    expect(results).toMatchObject([
      { output: [{ object: 'text_completion', usage: { completion_tokens: 5 } }] },
    ]);
    expect(deployment.output()).toMatch(/"?key"?[=:]\s*"?runpod-queue/);
  });

  it('are taken by the next worker after a crash', async () => {
    const worker = deployment.children()[2] ?? 0;
    killProcess(worker, 'SIGKILL');
    await waitFor('the queue worker to exit', () =>
      deployment.output().includes('queue worker was terminated by SIGKILL'),
    );
    const { results } = await runpod.finished(runpod.add({ messages: question('survival').messages }));
    expect(results).toMatchObject([
      { output: [{ choices: [{ message: { content: storyText('survival') } }] }] },
    ]);
  });

  it('that are running during a stop are finished first, without a violation of the protocol', async () => {
    const children = deployment.children();
    const job = runpod.add({ ...question('a long story'), max_tokens: 1500, stream: true });
    await waitFor('the story to start', () => job.pieces.join('').includes('Horse'));
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
    expect(job.status).toBe('COMPLETED');
    const text = job.pieces
      .join('')
      .split('\n\n')
      .flatMap((event) => (event.startsWith('data: {') ? [JSON.parse(event.slice(6))] : []))
      .map(({ choices }) => choices[0]?.delta.content ?? '');
    expect(text.length).toBeGreaterThan(1400);
    expect(storyText('long story').startsWith(text.join(''))).toBe(true);
    expect(job.pieces.at(-1)).toContain('[DONE]');
    expect(job.pieces.length).toBeLessThan(text.length / 2);
    expect(children.filter(isRunning)).toEqual([]);
    expect(runpod.faults).toEqual([]);
  });
});

it('a model that cannot load is reported to RunPod, so that the queue does not wait for this worker', async () => {
  await using queue = await startFakeRunpod();
  await using broken = await startDeployment({
    scenario: 'crash',
    env: { ...queue.env, RESTART_DELAY_MIN: '100ms' },
  });
  expect(await broken.exitCode()).toBe(3);
  expect(queue.troubles).toEqual([
    expect.stringMatching(/^engine-failed: giving up on llama-server at its first start \(bad-model\)/),
  ]);
  expect([queue.pings, queue.takes, queue.faults]).toEqual([[], [], []]);
});
