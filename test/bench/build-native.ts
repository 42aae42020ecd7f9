import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from '../../scripts/project-folders.ts';

const sources = join(import.meta.dirname, 'native');

export type NativeProgram = 'stub-upstream' | 'load-generator';

/** The path of a program of `native/`, compiled where these very sources have not been before. */
export async function buildNative(program: NativeProgram): Promise<string> {
  const built = join(cacheFolder, 'bench', `${program}-${digestOfSources()}`);
  const isThere = await access(built).then(
    () => true,
    () => false,
  );
  if (!isThere) await compile(join(sources, `${program}.c`), built);
  return built;
}

function digestOfSources(): string {
  const hash = createHash('sha256').update(process.arch);
  for (const file of globSync('*.[ch]', { cwd: sources }).toSorted())
    hash.update(readFileSync(join(sources, file)));
  return hash.digest('hex').slice(0, 12);
}

async function compile(source: string, built: string): Promise<void> {
  await mkdir(join(cacheFolder, 'bench'), { recursive: true });
  try {
    await execa('cc', ['-O2', '-Wall', '-Wextra', '-o', built, source]);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const advice = isMissing
      ? 'there is no C compiler: install one (Debian: apt install gcc libc6-dev)'
      : (error as Error).message;
    throw new Error(`npm run bench compiles its load generator, and could not: ${advice}`, { cause: error });
  }
}
