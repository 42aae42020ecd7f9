import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Extremes, extremes } from '../../data/extreme-values.ts';
import { sourceText } from '../../harness/source-text.ts';
import { startDeployment } from '../../harness/start-deployment.ts';

/** The test chooses the ports; the largest CTX is rejected with the largest PARALLEL. */
const excluded = ['PORT', 'PORT_HEALTH', 'PORT_BACKEND', 'CTX'];

async function boot(textOf: (settings: Extremes) => string) {
  const edges = extremes().filter(({ name }) => !excluded.includes(name));
  const env = Object.fromEntries(edges.map((one) => [one.name, textOf(one)]));
  const deployment = await startDeployment({ env: { ...env, LOG_FILES: 'true', LOG_LEVEL: 'info' } });
  await deployment.reachesStatus('ready');
  return deployment;
}

it.concurrent.each([
  ['as small as can be, off where that is possible', (one: Extremes) => (one.zeroFits ? '0' : one.smallest)],
  ['as large as can be', (one: Extremes) => one.largest],
])(
  'with every number %s, the deployment starts, does not count as hung, writes its log and stops in order',
  async (_, textOf) => {
    await using deployment = await boot(textOf);
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
    const shown = deployment.output();
    for (const problem of [' hung: ', 'unhandled error', 'within LOAD_TIMEOUT'].map(sourceText))
      expect(shown).not.toContain(problem);
    expect(readFileSync(join(deployment.folder, 'data/logs/corral.log'), 'utf8')).toMatch(
      /shutting down|status: /,
    );
  },
);
