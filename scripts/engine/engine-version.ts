import { execa } from 'execa';
import type { Engine } from '../../supervisor/engine/installed-engine.ts';

/** The words after `version:` that an engine says of itself; throws where it does not run or says nothing of it. */
export async function readEngineVersion({ command, args }: Engine): Promise<string> {
  const { all } = await execa(command, [...args, '--version'], {
    all: true,
    stdin: 'ignore',
    timeout: 20_000,
    extendEnv: false,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH },
  });
  const version = /^version:?\s+(.+)/m.exec(all)?.[1];
  if (version === undefined)
    throw new Error(`${command} --version did not tell its version: ${all.slice(0, 200)}`);
  return version.trim();
}
