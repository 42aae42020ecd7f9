import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from '../../scripts/project-folders.ts';
import { freePort } from '../harness/free-port.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type Core, startPinned } from './pinned-process.ts';

export interface StubStats {
  readonly requests: number;
  readonly connections: number;
  readonly open: number;
  readonly active: number;
  /** Responses whose client disconnected. */
  readonly aborted: number;
  /** On the clock of `process.hrtime`. */
  readonly lastAbortedNs: string;
}

/** The fast upstream of native/. */
export interface StubUpstream extends AsyncDisposable {
  readonly port: number;
  readonly socketPath: string;
  readonly pid: number;
  stats(): Promise<StubStats>;
}

/**
 * The real llama-server closes the connection after a stream without announcing it (`isClosing`). Proxies that keep
 * connections then respond to some requests with 502, so the stub keeps connections by default.
 */
export async function startStub(core: Core, { isClosing = false } = {}): Promise<StubUpstream> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  const [port, socketPath] = [await freePort(), folder.file('stub.sock')];
  const args = [String(port), socketPath, ...(isClosing ? [] : ['keep'])];
  const { pid } = started.use(startPinned(core, { command: await buildNative('stub-upstream'), args }));
  const request = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await waitFor('the stub upstream', async () => (await request('/health')).ok);
  const stack = started.move();
  return {
    port,
    socketPath,
    pid,
    stats: async () => (await (await request('/stats')).json()) as StubStats,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const sources = join(import.meta.dirname, 'native');

/** The path of a program of `native/`, compiled if its sources have changed. */
export async function buildNative(program: 'stub-upstream' | 'load-generator'): Promise<string> {
  const built = join(cacheFolder, 'bench', `${program}-${digestOfSources()}`);
  const exists = await access(built).then(
    () => true,
    () => false,
  );
  if (!exists) await compile(join(sources, `${program}.c`), built);
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
    const reason = isMissing
      ? 'no C compiler; install one (Debian: apt install gcc libc6-dev)'
      : (error as Error).message;
    throw new Error(`npm run bench cannot compile its load generator: ${reason}`, { cause: error });
  }
}
