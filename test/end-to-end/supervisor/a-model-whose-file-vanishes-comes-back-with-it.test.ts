import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { startModels } from '../../harness/start-models.ts';

it('fails while its file is away, and is loaded again with it', async () => {
  const other = { id: 'other', pin: true };
  await using models = await startModels({ models: [other], env: { RESTART_DELAY_MIN: '100ms' } });
  await models.deployment.reachesStatus('ready');
  const path = join(models.deployment.folder, 'a.gguf');
  copyFileSync(inject('demoModel'), path);
  models.writeModels([other, { id: 'a', path, ctx: 512, parallel: 1, pin: true }]);
  await models.reaches('a', 'loaded');
  const [pid, pidOfOther] = [await models.pidOf('a'), await models.pidOf('other')];
  renameSync(path, `${path}.away`);
  killProcess(pid, 'SIGKILL');
  await models.reaches('a', 'failed');
  expect(await models.model('a')).toMatchObject({ failure: 'bad-model' });
  renameSync(`${path}.away`, path);
  await models.reaches('a', 'loaded');
  expect(await models.generate('a')).not.toBe('');
  expect(await models.pidOf('other')).toBe(pidOfOther);
});
