import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readCoreLimit } from '../../../supervisor/process/core-files.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { startGatewayProcess } from '../../harness/start-gateway-process.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secret = 'sk-of-a-client-6f1b7c2e9d0123456789';
const prompt = 'my bank pin is 4711';

let before: string;
beforeAll(async () => {
  const limits = /^Max core file size +(\S+) +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  before = `${limits?.[1]}:${limits?.[2]}`;
  // Children may write core files as large as the system allows.
  await setOwnCoreLimit(`${limits?.[2]}:${limits?.[2]}`);
});
afterAll(() => setOwnCoreLimit(before));

const setOwnCoreLimit = (limits: string) =>
  execa('prlimit', ['--pid', String(process.pid), `--core=${limits}`]);

const startReal = (env: Record<string, string>) =>
  startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { API_KEYS: `client:${secret}`, ...env },
  });

/** The bytes of every file in a folder except the models. */
function bytesBelow(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => !name.endsWith('.gguf') && statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(folder, name))]));
}

let requestCount = 0;

/**
 * A running request with the secret and the prompt, which are then in the memory of both children. Each one differs:
 * a request that ran at two crashes of the engine is rejected.
 */
async function keepBusy(deployment: RunningDeployment): Promise<RawClient> {
  const client = await RawClient.connect(deployment.gatewayPort);
  requestCount += 1;
  const content = `${prompt}: tell me a long story ${requestCount}`;
  client.send(postOf(chatOf(content, { stream: true, ignore_eos: true, max_tokens: 50_000 }), { secret }));
  await client.receives('"content":"');
  return client;
}

async function crash(deployment: RunningDeployment, which: 0 | 1, signal: NodeJS.Signals): Promise<void> {
  await deployment.reachesStatus('ready');
  const pid = deployment.children()[which] ?? 0;
  await using _busy = await keepBusy(deployment);
  killProcess(pid, signal);
  await waitFor('the child to exit', () => !isRunning(pid));
  await waitFor('the restarted child', () => deployment.children()[which] !== pid);
}

describe('a crash leaves no secret on disk', () => {
  it('a crash of either child by any core-dumping signal leaves no core file', async () => {
    await using deployment = await startReal({});
    await deployment.reachesStatus('ready');
    const backendKey = keyOfBackend(deployment);
    for (const signal of ['SIGABRT', 'SIGSEGV'] as const) {
      await crash(deployment, 1, signal);
      await crash(deployment, 0, signal);
    }
    await deployment.reachesStatus('ready');
    const [engine = 0, gateway = 0] = deployment.children();
    const holders = [engine, gateway, deployment.process.pid ?? 0];
    expect(holders.map(readCoreLimit)).toEqual([1, 1, 1]);
    deployment.process.kill('SIGABRT');
    await deployment.exitCode();
    // The gateway removes files of its database when it ends.
    await waitFor('the children to exit', () => !holders.some(isRunning));
    const files = bytesBelow(deployment.folder);
    expect([...files.keys()]).toContain('data/usage.sqlite');
    expect([...files.keys()].filter((name) => /(?:^|\/)core/.test(name))).toEqual([]);
    for (const hidden of [secret, prompt, backendKey, 'tell me a long story']) {
      const found = [...files].filter(([, bytes]) => bytes.includes(hidden)).map(([name]) => name);
      expect([hidden, found, deployment.output().includes(hidden)]).toEqual([hidden, [], false]);
    }
  });

  it('CORE_DUMPS allows core files', async () => {
    await using deployment = await startReal({ CORE_DUMPS: 'true' });
    await deployment.reachesStatus('ready');
    expect(deployment.children().map(readCoreLimit)).toEqual([readCoreLimit('self'), readCoreLimit('self')]);
  });

  it('a crash of a gateway without a supervisor leaves no core file', async () => {
    await using folder = await temporaryFolder();
    await using fakeBackend = await startFakeBackend((_, response) => response.end('{}'));
    await using gateway = await startGatewayProcess(fakeBackend.backend, { DATA_DIR: folder.path });
    expect(readCoreLimit(gateway.process.pid ?? 0)).toBe(1);
  });
});

function keyOfBackend(deployment: RunningDeployment): string {
  const [engine = 0] = deployment.children();
  const environment = readFileSync(`/proc/${engine}/environ`, 'utf8');
  return /LLAMA_API_KEY=([\w-]{43})/.exec(environment)?.[1] ?? '';
}
