import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sourceText } from '../../harness/source-text.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

const story = [{ role: 'user', content: 'a long story' }];

/** A request of each API, and the form of the error event in its stream. */
const requests: readonly [string, object, RegExp][] = [
  ['/v1/chat/completions', { messages: story }, /\n\ndata: \{"error":\{[^\n]*"code":"(\w+)"\}\}\n\n$/],
  [
    '/v1/completions',
    { prompt: '<|user|>a long story<|end|><|assistant|>' },
    /\n\ndata: \{"error":\{[^\n]*"code":"(\w+)"\}\}\n\n$/,
  ],
  [
    '/v1/messages',
    { messages: story, max_tokens: 20_000 },
    /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"(\w+)"[^\n]*\}\n\n$/,
  ],
  [
    '/v1/responses',
    { input: 'a long story' },
    /\n\nevent: error\ndata: \{"type":"error","code":"(\w+)"[^\n]*\}\n\n$/,
  ],
];

let llama: LlamaServer;
let corral: TestGateway;
beforeEach(async () => {
  llama = await startLlamaServer({ slots: 8, context: 20_000 });
});
afterEach(async () => {
  await corral.stop();
  await llama.stop();
});

async function post(
  path: string,
  body: object,
): Promise<{ status: number; read: () => string; end: Promise<string> }> {
  const response = await fetch(`${corral.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  let text = '';
  const end = (async () => {
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
    return text;
  })();
  return { status: response.status, read: () => text, end };
}

/** A stream and a JSON request of each API in the middle of their responses, and an engine that dies and does not come back. */
async function allWaiting(env: Record<string, string>) {
  corral = await startTestGateway({ backend: llama.backend, env });
  const plain = requests.map(([path, body]) => post(path, body));
  const streams = await Promise.all(requests.map(([path, body]) => post(path, { ...body, stream: true })));
  const { scheduler, monitor } = corral.gateway;
  await waitFor('all to be running', () => scheduler.counts.leased === 8, { every: 1 });
  await waitFor('all streams to have begun', () => streams.every(({ read }) => read().includes('Horse')), {
    every: 1,
  });
  llama.kill('SIGSTOP');
  llama.kill('SIGKILL');
  await waitFor(
    'all to be queued for the next engine',
    () => scheduler.counts.waiting === 8 && monitor.status !== 'ready',
  );
  return { plain, streams };
}

async function expectAllRejected(
  { plain, streams }: Awaited<ReturnType<typeof allWaiting>>,
  code: string,
): Promise<void> {
  for (const [n, stream] of streams.entries()) {
    const [path, , error] = requests[n] ?? ['', {}, /$/];
    const reported = error.exec(await stream.end)?.[1];
    expect(reported, path).toBe(path === '/v1/messages' ? 'overloaded_error' : code);
  }
  for (const one of plain) {
    const { status, end } = await one;
    expect([status, await end]).toEqual([503, expect.stringContaining('"error"')]);
  }
  const linesOf = () => corral.logged.filter(({ path }) => requests.some(([one]) => one === path));
  await waitFor('all log lines', () => linesOf().length === 8);
  const lines = linesOf();
  for (const line of lines) {
    expect(line).toMatchObject({
      status: line.stream ? 200 : 503,
      error: code,
      tokensOut: expect.any(Number),
    });
    expect(line).not.toHaveProperty(sourceText('clientGone'));
  }
}

describe('a request that waits to be continued', () => {
  it('is rejected at DRAIN_TIMEOUT', async () => {
    const waiting = await allWaiting({ DRAIN_TIMEOUT: '100ms' });
    const stopped = corral.gateway.stop();
    await expectAllRejected(waiting, 'draining');
    await stopped;
    expect(corral.gateway.scheduler.counts).toMatchObject({ leased: 0, waiting: 0 });
  });

  it('is rejected at a second stop', async () => {
    const waiting = await allWaiting({ DRAIN_TIMEOUT: '1h' });
    void corral.gateway.stop();
    void corral.gateway.stop();
    await expectAllRejected(waiting, 'draining');
  });

  it('is rejected when the engine is given up, and so is every new request', async () => {
    const waiting = await allWaiting({});
    corral.gateway.scheduler.close('lost');
    await expectAllRejected(waiting, 'backend_unavailable');
    const late = await post('/v1/chat/completions', { messages: story });
    expect([late.status, await late.end]).toEqual([
      503,
      expect.stringContaining('"code":"backend_unavailable"'),
    ]);
  });
});
