import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { canary, quotingBodies } from '../../data/quoting-bodies.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secret = 'sk-of-an-operator-6f1b7c2e9d0123456789';

/** With `-v`, llama-server logs complete requests and responses. */
describe.each([
  ['json', {}],
  ['text', { EXTRA_ARGS: '-v' }],
])('prompts that llama-server quotes are never shown, with a log in %s and %j', (format, env) => {
  let deployment: RunningDeployment;

  beforeAll(async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'data'));
    const scopes = ['inference', 'native', 'admin', 'metrics'] as const;
    const keys = {
      operator: {
        secret,
        scopes,
        limits: { requestsPerMinute: 0 },
      },
    };
    writeFileSync(join(folder, 'data/keys.json'), keyFileText(keys), { mode: 0o600 });
    deployment = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      folder,
      env: { LOG_FORMAT: format, LOG_FILES: 'true', RESTART_DELAY_MIN: '50ms', ...env },
    });
    await deployment.reachesStatus('ready');
  });
  afterAll(() => deployment[Symbol.asyncDispose]());

  const send = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${deployment.gatewayPort}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    });

  it.each(quotingBodies)('not in the response to %s at %s', async (_, path, body) => {
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await send(path, { method: 'POST', body: sent });
    const text = await response.text();
    expect(response.ok ? errorsIn(text) : text).not.toContain(canary);
  });

  it('not in the log, its files, crash records, /status and the pages for operators', async () => {
    const [engine = 0] = deployment.children();
    killProcess(engine, 'SIGKILL');
    await waitFor('the crash to be recorded', async () => (await deployment.status()).lastCrash);
    await deployment.reachesStatus('ready');
    const pages = ['/admin/requests', '/admin/usage', '/metrics', '/v1/models', '/health'];
    const shown = new Map([
      ['the log', deployment.output()],
      ['/status', JSON.stringify(await deployment.status())],
      ...(await Promise.all(pages.map(async (page) => [page, await (await send(page)).text()] as const))),
      ...filesIn(join(deployment.folder, 'data')),
    ]);
    const names = [...shown.keys()];
    expect(names).toContain('logs/corral.log');
    expect(names.filter((name) => /^crashes\/.*-llama-server\.json$/.test(name))).toHaveLength(1);
    expect([...shown].filter(([, text]) => text.includes(canary)).map(([name]) => name)).toEqual([]);
    expect(deployment.output()).toMatch(/got exception: \{\\?"code\\?":\d{3}\} \[…\]/);
  });
});

/** The error events of a stream, which may fail after its status 200. */
const errorsIn = (events: string) =>
  events
    .split('\n')
    .filter((line) => line.includes('"error":{'))
    .join('\n');

function filesIn(folder: string): (readonly [string, string])[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => [name, readFileSync(join(folder, name), 'latin1')]);
}
