import { freePort } from '../harness/free-port.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { buildNative } from './build-native.ts';
import { type Core, startPinned } from './pinned.ts';

export interface StubStats {
  readonly requests: number;
  readonly connections: number;
  readonly open: number;
  readonly answering: number;
  /** Answers whose reader went away. */
  readonly brokenOff: number;
  /** On the clock of `process.hrtime`. */
  readonly lastBrokenOffNs: string;
}

/** The fast upstream of native/. */
export interface Stub extends AsyncDisposable {
  readonly port: number;
  readonly socketPath: string;
  readonly pid: number;
  stats(): Promise<StubStats>;
}

/**
 * The real llama-server closes the connection behind a stream without having said so (`isClosing`); proxies that keep
 * connections then answer some requests with 502, so this one keeps them unless it is told otherwise.
 */
export async function startStub(core: Core, { isClosing = false } = {}): Promise<Stub> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  const [port, socketPath] = [await freePort(), folder.file('stub.sock')];
  const args = [String(port), socketPath, ...(isClosing ? [] : ['keep'])];
  const { pid } = started.use(startPinned(core, { command: await buildNative('stub-upstream'), args }));
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await waitFor('the stub', async () => (await ask('/health')).ok);
  const stack = started.move();
  return {
    port,
    socketPath,
    pid,
    stats: async () => (await (await ask('/stats')).json()) as StubStats,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
