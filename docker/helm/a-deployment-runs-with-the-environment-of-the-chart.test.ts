import { chmod, copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { keyFileText } from '../../test/harness/key-file-text.ts';
import { startDeployment } from '../../test/harness/start-deployment.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { loadChart } from '../../test/helm/chart.ts';
import { partsOfDeployment } from '../../test/helm/manifests.ts';

const { canRender, render } = await loadChart('existing-secret');
const changes = { model: { file: 'demo.gguf', parallel: 2, tokenSecret: { name: '' } } };

/** Stores a Secret as the kubelet does: a folder per version, and a symlink that is replaced atomically. */
async function putSecret(folder: string, version: string, file: string, text: string): Promise<void> {
  await mkdir(join(folder, version), { recursive: true });
  await writeFile(join(folder, version, file), text);
  await chmod(join(folder, version, file), 0o440);
  await symlink(version, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
}

it.skipIf(!canRender)(
  'a deployment passes the probes of the chart and follows changes of the keys in its Secret',
  async () => {
    await using pod = await temporaryFolder();
    const { container, env } = partsOfDeployment(await render('existing-secret', changes));
    const { DATA_DIR = '', MODELS_DIR = '', AUTH_KEYS_FILE = '' } = env;
    const keyFolder = pod.file('keys');
    const keyFile = join(keyFolder, basename(AUTH_KEYS_FILE));
    await mkdir(pod.file(MODELS_DIR));
    await copyFile(inject('demoModel'), pod.file(join(MODELS_DIR, 'demo.gguf')));
    const keysOf = (secret: string) => keyFileText({ app: { secret } });
    await putSecret(keyFolder, '..first', basename(keyFile), keysOf('sk-the-first'));
    await symlink(join('..data', basename(keyFile)), keyFile);

    // The chart's environment, except for folders in the test folder and free ports.
    const { HOST: _, PORT: _p, PORT_HEALTH: _h, ...same } = env;
    const here = { DATA_DIR: pod.file(DATA_DIR), MODELS_DIR: pod.file(MODELS_DIR), AUTH_KEYS_FILE: keyFile };
    const unset = { MODEL_PATH: '', API_KEYS: '' };
    const real = { engine: inject('engine'), model: inject('demoModel') };
    await using deployment = await startDeployment({ real, env: { ...same, ...here, ...unset } });

    const { startupProbe, readinessProbe, livenessProbe } = container;
    const probed = (probe = startupProbe) =>
      deployment.request(probe?.httpGet?.path ?? '').then(({ status }) => status);
    await waitFor('the startup probe to pass', async () => (await probed()) === 200);
    await waitFor('the pod to be ready', async () => (await probed(readinessProbe)) === 200);
    expect(await probed(livenessProbe)).toBe(200);

    const models = (secret: string) =>
      fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/models`, {
        headers: { authorization: `Bearer ${secret}` },
      });
    const response = await waitFor('the key to be valid', async () => {
      const listed = await models('sk-the-first');
      return listed.ok && listed;
    });
    expect(await response.json()).toMatchObject({ data: [{ id: 'demo' }] });
    await putSecret(keyFolder, '..second', basename(keyFile), keysOf('sk-the-second'));
    await waitFor('the new secret to be valid', async () => (await models('sk-the-second')).ok);
    expect((await models('sk-the-first')).status).toBe(401);

    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
  },
  120_000,
);
