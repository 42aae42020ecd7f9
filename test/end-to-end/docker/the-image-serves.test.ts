import { readdirSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { isHealthy } from '../../../cli/container/health-check.ts';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { waitFor } from '../../harness/wait-for.ts';
import {
  canRehearse,
  childrenOf,
  imageUser,
  type Rehearsal,
  rehearseImage,
  statusOf,
} from '../../image/rehearse-image.ts';
import { tini } from '../../services/service-catalogue.ts';
import { requireTestService } from '../../services/test-service.ts';

const init = await requireTestService(tini);
const secret = 'sk-0123456789abcdef0123';
const mayRun = init !== undefined && canRehearse();
if (!mayRun)
  console.error('NOT TESTED: the image, because this machine does not allow namespaces or has no tini');

const processTreeOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(processTreeOf)];
const nameOf = (pid: number) => statusOf(pid, 'Name');

async function ready(image: Rehearsal): Promise<void> {
  const isReady = () => isHealthy({ PORT_HEALTH: String(image.healthPort) }, '/readyz');
  const isSettled = async () => image.hasEnded() || (await isReady());
  await waitFor('the image to be ready', isSettled, { within: 180_000 });
  expect(await isReady(), image.output()).toBe(true);
}

describe.skipIf(!mayRun)('the image', () => {
  it('serves as another user with a read-only root, reaps its dead children, and exits on SIGTERM', async () => {
    await using image = await rehearseImage({
      dockerfile: 'Dockerfile.cpu',
      engine: inject('engine'),
      tini: init ?? { command: '', args: [] },
      model: inject('demoModel'),
      env: { API_KEYS: `test:${secret}`, MODEL_NAME: 'demo.gguf', THREADS: '1' },
    });
    await ready(image);
    const response = await fetch(`http://127.0.0.1:${image.port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': secret, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'tell me about keys' }] }),
    });
    const { choices } = (await response.json()) as { choices: [{ message: { content: string } }] };
    expect(choices[0].message.content).toBe(storyText('keys'));

    const first = image.firstProcess();
    const processes = processTreeOf(first).map((pid) => ({ name: nameOf(pid), user: statusOf(pid, 'Uid') }));
    expect(processes.map(({ name }) => name)).toEqual(expect.arrayContaining(['MainThread', 'sleep']));
    // Undefined if it has exited meanwhile.
    expect(processes.filter(({ user }) => user !== undefined && user !== `${imageUser}`)).toEqual([]);

    const orphan = childrenOf(first).find((pid) => nameOf(pid) === 'sleep') ?? 0;
    expect(orphan, 'what its parent left behind').toBeGreaterThan(0);
    killProcess(orphan, 'SIGKILL');
    await waitFor('the dead to be gone', () => statusOf(orphan, 'State') === undefined, {
      within: 60_000,
    });

    // The first file that is written, once per second.
    const hasBooked = () => readdirSync(`/proc/${first}/root/data`).includes('usage.sqlite');
    await waitFor('the usage to be on disk', hasBooked, { within: 60_000 });
    expect(readdirSync(`/proc/${first}/root/opt/corral`)).not.toContain('data');
    expect(image.output()).not.toMatch(/EROFS|EACCES|EPERM/);

    killProcess(first, 'SIGTERM');
    expect(await image.exitCode(), image.output()).toBe(0);
  }, 300_000);
});
