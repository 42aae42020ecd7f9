import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secret = 'sk-0123456789abcdef';
const prompt = 'the-launch-code-is-4711';
/** Printed by the test program, not by the log. */
const readyLine = 'first token received';

const startReal = (env: Record<string, string>) =>
  startDeployment({ real: { engine: inject('engine'), model: inject('demoModel') }, env });

async function completeText(deployment: RunningDeployment): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: prompt }], max_tokens: 12, stream: true }),
  });
  const events = await response.text();
  return [...events.matchAll(/"content":"([^"]+)"/g)].map(([, piece]) => piece).join('');
}

async function endInOrder(deployment: RunningDeployment): Promise<void> {
  deployment.process.kill('SIGTERM');
  expect(await deployment.exitCode()).toBe(0);
  expect(deployment.output().trimEnd()).toMatch(/stopped"?\}?$/);
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '' && line !== readyLine);

/** A line of logfmt, parsed as other tools parse it. */
function readLogfmt(line: string): Record<string, string> {
  const pairs = line.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|[^\s"]+)(?: |$)/g);
  const fields = [...pairs].map(([, name = '', value = '']) => [
    name,
    value.startsWith('"') ? String(JSON.parse(value)) : value,
  ]);
  return Object.fromEntries(fields);
}

describe('all processes log to one stream', () => {
  it.each([
    ['json', (line: string) => JSON.parse(line) as Record<string, unknown>],
    ['logfmt', readLogfmt],
  ] as const)('as %s, on stdout and in the file', async (format, read) => {
    await using deployment = await startReal({ LOG_FORMAT: format, LOG_FILES: 'true' });
    await waitFor('the first token', () => deployment.output().includes(readyLine));
    const response = await completeText(deployment);
    await endInOrder(deployment);
    const lines = linesOf(deployment.output()).map(read);
    expect(new Set(lines.map(({ from }) => from))).toEqual(
      new Set(['supervisor', 'gateway', 'llama-server']),
    );
    for (const line of lines) expect([line.level, line.time, line.msg]).not.toContain(undefined);
    const request = lines.find(({ path }) => path === '/v1/chat/completions');
    expect(request).toMatchObject({ from: 'gateway', level: 'info', key: 'test', method: 'POST' });
    const logged = { status: 200, tokensOut: 12, finish: 'length', stream: true };
    for (const [name, value] of Object.entries(logged)) expect(String(request?.[name])).toBe(String(value));
    for (const name of ['id', 'ms', 'queueMs', 'ttftMs', 'bytes', 'tokensIn', 'tokensCached'])
      expect(request).toHaveProperty(name);
    const file = readFileSync(join(deployment.folder, 'data/logs/corral.log'), 'utf8');
    expect(linesOf(file)).toEqual(linesOf(deployment.output()));
    expect(response.length).toBeGreaterThan(10);
    for (const hidden of [secret, prompt, response]) expect(deployment.output() + file).not.toContain(hidden);
  });

  it('as text, in which clients cannot forge lines or colours', async () => {
    await using deployment = await startReal({ LOG_FORMAT: 'text', LOG_FILES: 'true' });
    await waitFor('the first token', () => deployment.output().includes(readyLine));
    const forged = '12:00:00.000 ERROR supervisor: all is lost\u001b[31m\u009b2J';
    const control = [
      `GET /v1/%0a${encodeURIComponent(forged)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET /v1/\u009b31m HTTP/1.1\r\nHost: x\r\nx-request-id: a\u009b31m\r\nx-forwarded-for: 1.2.3.4\u009b\r\n\r\n`,
      postOf(JSON.stringify({ model: forged, prompt: 'x', max_tokens: 2 }), {
        secret,
        path: '/v1/completions',
      }),
    ];
    for (const bytes of control) {
      await using client = await RawClient.connect(deployment.gatewayPort);
      expect((await client.send(bytes).response())?.status).toBeGreaterThan(0);
    }
    await endInOrder(deployment);
    const lines = linesOf(deployment.output());
    expect(lines.filter((line) => line.includes('all%20is%20lost'))).toHaveLength(1);
    const entries = lines.filter((line) => !line.startsWith('    '));
    for (const line of entries)
      expect(line).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (?:DEBUG|INFO |WARN |ERROR) (?:supervisor|gateway|llama-server): /,
      );
    for (const line of lines) expect(line).not.toMatch(/\p{Cc}/u);
  });

  it('and a blocked reader blocks nothing', async () => {
    await using deployment = await startReal({ LOG_FORMAT: 'json' });
    await waitFor('the first token', () => deployment.output().includes(readyLine));
    deployment.process.stdout?.pause();
    const path = `/v1/${'x'.repeat(240)}`;
    for (let round = 0; round < 30; round++) {
      const responses = Array.from({ length: 50 }, async () => {
        const headers = { authorization: `Bearer ${secret}` };
        const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}${path}`, { headers });
        await response.text();
        return response.status;
      });
      expect(new Set(await Promise.all(responses))).toEqual(new Set([404]));
    }
    expect((await deployment.request('/ping')).status).toBe(200);
    expect(await completeText(deployment)).not.toBe('');
    deployment.process.stdout?.resume();
    await waitFor('the buffered lines', () => deployment.output().split(path).length > 1500);
  });
});
