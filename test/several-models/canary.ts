import { copyFileSync, mkdtempDisposableSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoModelFile } from '../services/demo-models.ts';
import { measureBrokenCanary, measureCrashes } from './canary-failures.ts';
import { measureShares } from './canary-shares.ts';
import { measureSwitches } from './canary-switches.ts';
import { startModelsProduct } from './product.ts';
import type { Report } from './report.ts';
import type { Scenario } from './scenario.ts';

/** Proof 3. */
export const canary: Scenario = {
  claim: 'an alias shares 90/10, is promoted and rolled back under streams, and loses a canary that fails',
  async run({ requests = 10_000, onProgress }) {
    const path = await demoModelFile('guide');
    const model = { path, pin: true, parallel: 4, ctx: 4096 };
    const models = [
      { ...model, id: 'stable' },
      { ...model, id: 'canary' },
    ];
    using folder = mkdtempDisposableSync(join(tmpdir(), 'corral-canary-'));
    const damaged = join(folder.path, 'damaged.gguf');
    // Its header is whole, and its tensors end early.
    copyFileSync(path, damaged);
    truncateSync(damaged, Math.floor(statSync(path).size * 0.9));
    await using product = await startModelsProduct({
      models: [...models, { id: 'broken', path: damaged }],
      aliases: [{ name: 'latest', targets: aliasTargets(90, 10) }],
    });
    const reports: Report[] = [
      await measureShares(product, requests, onProgress),
      await measureSwitches(product, onProgress),
      await measureCrashes(product, onProgress),
      await measureBrokenCanary(product, onProgress),
    ];
    return {
      figures: reports.flatMap(({ figures }) => figures),
      problems: reports.flatMap(({ problems = [] }) => problems),
    };
  },
};

const aliasTargets = (stable: number, weight: number) => [
  { model: 'stable', weight: stable },
  { model: 'canary', weight },
];
