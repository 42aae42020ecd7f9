import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { delta, silent, startStream } from '../../test/fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../../test/fakes/start-fake-backend.ts';
import { afterFirstQuestions, benchReport, startBench } from '../../test/harness/start-bench.ts';
import { parseReport } from './report.ts';

const usage = (input: number, output: number) =>
  `"usage":{"prompt_tokens":${input},"completion_tokens":${output}}`;

/** Sends three words with a pause before each, and events without content before and after them. */
const threeWords: BackendScenario = async (_, response) => {
  response.setHeader('x-queue-wait-ms', '12');
  startStream(response).write('data: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n\n');
  for (const word of ['one', 'two', 'three']) {
    await sleep(40);
    response.write(delta(word));
  }
  response.write('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n');
  response.end(`data: {"choices":[],${usage(7, 6)}}\n\ndata: [DONE]\n\n`);
};

describe('the metrics of a stream', () => {
  it('are its tokens from usage, its times from the first token, and its time in the queue', async () => {
    await using endpoint = await startFakeBackend(afterFirstQuestions(threeWords));
    const args = [
      '--model',
      'm',
      '--concurrency',
      '2',
      '--requests',
      '4',
      '--warmup',
      '0',
      '--max-tokens',
      '9',
    ];
    const { steps, conditions } = await benchReport([endpoint.backend.address.origin, ...args]);
    const [step] = steps;
    expect(steps.map(({ name }) => name)).toEqual(['concurrency 2, prompt 128']);
    expect(conditions).toMatchObject({ model: 'm', stream: true, requests: 4, durationMs: null });
    expect(step?.requests).toMatchObject({ done: 4, failed: 0, abandoned: 0 });
    expect(step?.tokens).toEqual({ input: 28, output: 24, from: 'usage' });
    expect(step?.errors).toEqual([]);
    expect(step?.queueWaitMs).toMatchObject({ count: 4, p50: expect.closeTo(12, 1) });
    expect(step?.ttftMs?.count).toBe(4);
    expect(step?.ttftMs?.p50).toBeGreaterThan(35);
    expect(step?.latencyMs?.p50).toBeGreaterThan(110);
    expect(step?.itlMs?.count).toBe(8);
    expect(step?.streamTokensPerSecond?.count).toBe(4);
    // Two at a time, each at least 3 × 40 ms: never more than 2 × 6 tokens in that time.
    expect(step?.tokensPerSecond).toBeGreaterThan(0);
    expect(step?.tokensPerSecond).toBeLessThan(12 / 0.11);
    expect(step?.timeline.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0)).toBe(4);
  });
});

describe('the metrics of requests without streaming', () => {
  it('have no TTFT, and token counts from usage', async () => {
    await using endpoint = await startFakeBackend(
      afterFirstQuestions((_, response) => {
        response
          .setHeader('content-type', 'application/json')
          .end(`{"choices":[{"text":"one two"}],${usage(5, 2)}}`);
      }),
    );
    const args = [
      '--model',
      'm',
      '--plain',
      '--path',
      'completions',
      '--concurrency',
      '1',
      '--requests',
      '3',
    ];
    const { steps } = await benchReport([endpoint.backend.address.origin, ...args, '--warmup', '0']);
    expect(steps[0]).toMatchObject({
      requests: { done: 3, failed: 0 },
      tokens: { input: 15, output: 6, from: 'usage' },
      ttftMs: null,
      itlMs: null,
      queueWaitMs: null,
    });
    const requests = endpoint.received.map(({ path, body }) => ({ path, ...JSON.parse(body) }));
    expect(requests.at(-1)).toMatchObject({ path: '/v1/completions', model: 'm', max_tokens: 128 });
    expect(requests.at(-1)).not.toHaveProperty('stream');
  });
});

describe('errors', () => {
  const scenarios: BackendScenario[] = [
    (_, response) => {
      const body = '{"error":{"code":"queue_full","message":"secret"}}';
      response.writeHead(503, { 'retry-after-ms': '1' }).end(body);
    },
    (_, response) => void response.writeHead(502).end('<html>'),
    (_, response) => void startStream(response).end(delta('cut')),
    (_, response) => void startStream(response).end('data: {"error":{"type":"server_error"}}\n\n'),
    (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('words'),
    threeWords,
  ];

  const oneAfterTheOther = (scenarios: readonly BackendScenario[]): BackendScenario => {
    let next = 0;
    return afterFirstQuestions((request, response) => scenarios[next++]?.(request, response));
  };

  it('are counted by kind and do not affect latency', async () => {
    await using endpoint = await startFakeBackend(oneAfterTheOther(scenarios));
    const args = ['--model', 'm', '--concurrency', '1', '--requests', '6', '--warmup', '0'];
    const { status, stdout, stderr } = await startBench([endpoint.backend.address.origin, ...args, '--json'])
      .outcome;
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('more than a tenth of the requests failed'),
    ]);
    const { steps } = parseReport(stdout);
    expect(steps[0]?.errors.map(({ kind, count }) => `${count} ${kind}`).sort()).toEqual([
      '1 502',
      '1 503 queue_full',
      '1 response cut short',
      '1 response not JSON',
      '1 response server_error',
    ]);
    expect(steps[0]).toMatchObject({ requests: { done: 1, failed: 5 }, latencyMs: { count: 1 } });
  });

  it('are retried after their Retry-After with --retries', async () => {
    const [reject = threeWords] = scenarios;
    await using endpoint = await startFakeBackend(oneAfterTheOther([reject, reject, threeWords, threeWords]));
    const args = ['--model', 'm', '--concurrency', '1', '--requests', '2', '--warmup', '0', '--retries', '2'];
    const { steps } = await benchReport([endpoint.backend.address.origin, ...args]);
    expect(steps[0]).toMatchObject({ requests: { done: 2, failed: 0, retries: 2 }, errors: [] });
  });

  it('are timeouts if there is no response', async () => {
    await using endpoint = await startFakeBackend(afterFirstQuestions(silent));
    const args = [
      '--model',
      'm',
      '--concurrency',
      '2',
      '--requests',
      '2',
      '--warmup',
      '0',
      '--timeout',
      '200ms',
    ];
    const bench = await startBench([endpoint.backend.address.origin, ...args, '--json']).outcome;
    expect(bench.status).toBe(1);
    expect(parseReport(bench.stdout).steps[0]?.errors).toEqual([{ kind: 'timeout', count: 2 }]);
  });
});
