import { execFile, spawnSync } from 'node:child_process';
import type { InstalledEngine } from './installed-engine.ts';

const options = { timeout: 10_000, maxBuffer: 4 * 1024 ** 2, encoding: 'utf8' } as const;

/** The types of speculation that a llama-server has, by its help: builds differ. None if it does not respond. */
export function readSpeculationTypes({ command, args }: InstalledEngine): Promise<readonly string[]> {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  execFile(command, [...args, '--help'], options, (_, stdout, stderr) => {
    resolve(parseSpeculationTypes(stdout + stderr));
  }).stdin?.end();
  return promise;
}

/** The same at once, for a restart whose plan an operator waits for. */
export function readSpeculationTypesSync({ command, args }: InstalledEngine): readonly string[] {
  const { stdout = '', stderr = '' } = spawnSync(command, [...args, '--help'], options);
  return parseSpeculationTypes(stdout + stderr);
}

/** `--spec-type none,draft-simple,…`; `[none|ngram-simple|…]` in builds of early 2026. */
export function parseSpeculationTypes(help: string): readonly string[] {
  const list = /^\s*--spec-type\s+\[?([\w,|-]+)/m.exec(help)?.[1] ?? '';
  return list.split(/[,|]/).filter((name) => name !== '' && name !== 'none');
}
