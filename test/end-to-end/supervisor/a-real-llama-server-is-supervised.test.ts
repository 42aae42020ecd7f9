import { describe, expect, inject, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { freePort } from '../../harness/free-port.ts';
import { sourceText } from '../../harness/source-text.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const startReal = (env: Record<string, string> = {}) =>
  startDeployment({ real: { engine: inject('engine'), model: inject('demoModel') }, env });

async function completeText(deployment: RunningDeployment): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], max_tokens: 8 }),
  });
  const result = (await response.json()) as { choices: { message: { content: string } }[] };
  return result.choices[0]?.message.content ?? '';
}

/** The slots and the context length that clients see. */
async function slotsAndContext({ gatewayPort }: RunningDeployment): Promise<unknown[]> {
  const get = async (path: string) => {
    const headers = { authorization: 'Bearer sk-0123456789abcdef' };
    return (await fetch(`http://127.0.0.1:${gatewayPort}${path}`, { headers })).json();
  };
  const { slots } = (await get('/health')) as { slots: { total: number } };
  const { data } = (await get('/v1/models')) as { data: { context_length: number }[] };
  return [slots.total, data[0]?.context_length];
}

describe('a real llama-server is supervised', () => {
  it('from its boot table to its orderly stop, with the configured slots and context', async () => {
    await using deployment = await startReal({ CTX: '1024', PARALLEL: '2' });
    await waitFor('the first token', () => deployment.output().includes('first token received'));
    // The log is written with a delay, the message above at once.
    const table = /loaded +\d+\.\d\d s +\d+\.\d\d s\n +first token +\d+\.\d\d s/;
    await waitFor('the boot table', () => table.test(deployment.output()));
    expect(await completeText(deployment)).not.toBe('');
    // The gateway knows them once it has served.
    expect(await slotsAndContext(deployment)).toEqual([2, 1024]);
    const children = deployment.children();
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
    expect(deployment.output()).not.toContain(sourceText('was terminated by'));
    expect(deployment.output()).not.toContain(sourceText('exited with code'));
  });

  it('on a loopback port if PORT_BACKEND is set, where it requires its key', async () => {
    const port = await freePort();
    await using deployment = await startReal({ PORT_BACKEND: String(port) });
    await deployment.reachesStatus('ready');
    expect((await fetch(`http://127.0.0.1:${port}/props`)).status).toBe(401);
    expect(await completeText(deployment)).not.toBe('');
  });

  it('and accepts inputs as long as the context for embeddings', async () => {
    await using deployment = await startReal({
      CTX: '1024',
      PARALLEL: '2',
      EXTRA_ARGS: '--embeddings --pooling mean',
    });
    await deployment.reachesStatus('ready');
    const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-0123456789abcdef', 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'abcdefg '.repeat(120) }),
    });
    const { usage, data } = (await response.json()) as {
      usage: { prompt_tokens: number };
      data: { embedding: number[] }[];
    };
    expect(usage.prompt_tokens).toBeGreaterThan(900);
    expect(data[0]?.embedding.some((value) => value !== 0)).toBe(true);
  });

  it('through a crash, with the same response afterwards', async () => {
    await using deployment = await startReal();
    await deployment.reachesStatus('ready');
    const before = await completeText(deployment);
    const [engine = 0] = deployment.children();
    killProcess(engine, 'SIGKILL');
    await waitFor('the restart', async () => {
      const { standing, restarts } = await deployment.status();
      return standing === 'ready' && (restarts as { engine: number }).engine === 1;
    });
    expect(before).not.toBe('');
    expect(await completeText(deployment)).toBe(before);
  });

  it('and leaves no orphan when the supervisor is killed', async () => {
    await using deployment = await startReal();
    await deployment.reachesStatus('ready');
    const children = deployment.children();
    deployment.process.kill('SIGKILL');
    await waitFor('the children to end', () => !children.some(isRunning));
    expect(children).toHaveLength(2);
  });

  it('and /status names its model', async () => {
    await using deployment = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: { MODEL_ALIAS: 'acme,other' },
    });
    await deployment.reachesStatus('ready');
    expect((await deployment.status()).model).toBe('acme');
    const health = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/health`);
    expect(await health.json()).toMatchObject({ model: 'acme' });
  });

  it('and ends the process with exit code 3 and its own message if the model is broken', async () => {
    await using deployment = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: { EXTRA_ARGS: '--override-kv llama.block_count=int:3' },
    });
    expect(await deployment.exitCode()).toBe(3);
    expect(deployment.output()).toMatch(/giving up on llama-server at its first start \(bad-model\)/);
  });
});
