import { chmod, copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { keyFileText } from '../../test/harness/key-file-text.ts';
import { startDeployment } from '../../test/harness/start-deployment.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { openChart } from '../../test/helm/open-chart.ts';
import { partsOfDeployment } from '../../test/helm/parts-of-deployment.ts';

const { canRender, render } = await openChart('existing-secret');
const changes = { model: { file: 'demo.gguf', parallel: 2, tokenSecret: { name: '' } } };

/** As the kubelet keeps a Secret: a folder by date, and a symlink that is swapped over to the next. */
async function putSecret(folder: string, version: string, file: string, text: string): Promise<void> {
  await mkdir(join(folder, version), { recursive: true });
  await writeFile(join(folder, version, file), text);
  await chmod(join(folder, version, file), 0o440);
  await symlink(version, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
}

it.skipIf(!canRender)(
  'answers the probes of the chart, and takes keys from its Secret as they change',
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

    // Everything as the chart says, but places below the folder, and ports that are free here.
    const { HOST: _, PORT: _p, PORT_HEALTH: _h, ...same } = env;
    const here = { DATA_DIR: pod.file(DATA_DIR), MODELS_DIR: pod.file(MODELS_DIR), AUTH_KEYS_FILE: keyFile };
    const unset = { MODEL_PATH: '', API_KEYS: '' };
    const real = { engine: inject('engine'), model: inject('demoModel') };
    await using house = await startDeployment({ real, env: { ...same, ...here, ...unset } });

    const { startupProbe, readinessProbe, livenessProbe } = container;
    const probed = (probe = startupProbe) =>
      house.request(probe?.httpGet?.path ?? '').then(({ status }) => status);
    await waitFor('the startup probe to pass', async () => (await probed()) === 200);
    await waitFor('the pod to be ready', async () => (await probed(readinessProbe)) === 200);
    expect(await probed(livenessProbe)).toBe(200);

    const models = (secret: string) =>
      fetch(`http://127.0.0.1:${house.gatewayPort}/v1/models`, {
        headers: { authorization: `Bearer ${secret}` },
      });
    const answer = await waitFor('the key to be good', async () => {
      const response = await models('sk-the-first');
      return response.ok && response;
    });
    expect(await answer.json()).toMatchObject({ data: [{ id: 'demo' }] });
    await putSecret(keyFolder, '..second', basename(keyFile), keysOf('sk-the-second'));
    await waitFor('the new secret to be good', async () => (await models('sk-the-second')).ok);
    expect((await models('sk-the-first')).status).toBe(401);

    house.process.kill('SIGTERM');
    expect(await house.exitCode()).toBe(0);
  },
  120_000,
);
