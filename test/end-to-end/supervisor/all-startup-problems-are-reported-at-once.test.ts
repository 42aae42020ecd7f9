import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder, startDeployment } from '../../harness/start-deployment.ts';

it('all startup problems are reported at once, before anything starts, with exit code 2', async () => {
  const folder = newFolder();
  await using deployment = await startDeployment({
    folder,
    env: {
      MODEL_PATH: join(folder, 'models', 'gone.gguf'),
      MMPROJ: join(folder, 'no-projector.gguf'),
      PORT: '18017',
      PORT_BACKEND: '18017',
      CTX: 'plenty',
      HOST: '0.0.0.0',
      AUTH_ENABLED: 'false',
      EXTRA_ARGS: '--temp 0.5 --api_key open --host=0.0.0.0',
      DATA_DIR: join(folder, 'models', 'ready.gguf', 'data'),
    },
  });
  expect(await deployment.exitCode()).toBe(2);
  const problems = deployment.output();
  expect(problems).toContain('CTX: invalid value "plenty"');
  expect(problems).toContain(
    `${folder}/models/gone.gguf does not exist (found in ${folder}/models: ready.gguf)`,
  );
  expect(problems).toContain(`MMPROJ: ${folder}/no-projector.gguf does not exist`);
  expect(problems).toContain('EXTRA_ARGS: --api_key is not allowed');
  expect(problems).toContain('EXTRA_ARGS: --host is not allowed');
  expect(problems).toContain('ALLOW_UNAUTHENTICATED=true');
  expect(problems).toContain('ready.gguf/data is not writable (ENOTDIR)');
  expect(problems).toContain('PORT_BACKEND and PORT are both 18017');
  expect(deployment.children()).toEqual([]);
});
