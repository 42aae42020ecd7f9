import { execa } from 'execa';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';

/** The text after `version:` in the output of an engine. Throws if the engine does not run or prints no version. */
export async function readEngineVersion({ command, args }: InstalledEngine): Promise<string> {
  const { all } = await execa(command, [...args, '--version'], {
    all: true,
    stdin: 'ignore',
    timeout: 20_000,
    extendEnv: false,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH },
  });
  const version = /^version:?\s+(.+)/m.exec(all)?.[1];
  if (version === undefined)
    throw new Error(`${command} --version did not print a version: ${all.slice(0, 200)}`);
  return version.trim();
}
