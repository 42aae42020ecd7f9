import type { StdioOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { freePort } from '../../harness/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type PinnedProcess, startPinned } from '../pinned-process.ts';
import type { StubUpstream } from '../stub-upstream.ts';

/** An endpoint in front of the stub upstream, as its clients see it. */
export interface Contender {
  readonly port: number;
  /** Headers that its clients must send. */
  readonly headers: readonly string[];
  /** The API keys of its clients, one per line. */
  readonly keyFile: string | undefined;
  /** The process whose CPU and memory are measured. */
  readonly pid: number;
}

export interface RunningContender extends Contender, AsyncDisposable {}

export type StartContender = (stub: StubUpstream) => Promise<RunningContender>;

/** The API key for clients that use only one. */
export function firstApiKey({ keyFile }: Pick<Contender, 'keyFile'>): string | undefined {
  return keyFile === undefined ? undefined : readFileSync(keyFile, 'utf8').split('\n')[0];
}

interface ContenderProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The file for its standard output, if it is kept. */
  readonly outputTo?: string;
  /** The path that is requested until it responds with a success. */
  readonly probe: string;
  readonly contender?: Partial<Contender>;
}

/** Starts a contender on its core, with a port and a folder of its own, and waits until it responds. */
export async function startContender(
  prepare: (place: {
    readonly port: number;
    readonly folder: TemporaryFolder;
  }) => ContenderProgram | Promise<ContenderProgram>,
): Promise<RunningContender> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  const port = await freePort();
  const program = await prepare({ port, folder });
  const { pid } = started.use(startProgram(program, folder.path));
  await waitFor(
    `${program.command} ${program.args.at(-1)}`,
    async () => (await fetch(`http://127.0.0.1:${port}${program.probe}`)).ok,
  );
  const stack = started.move();
  return {
    port,
    pid,
    headers: [],
    keyFile: undefined,
    ...program.contender,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function startProgram({ command, args, env, outputTo }: ContenderProgram, cwd: string): PinnedProcess {
  const output = outputTo === undefined ? undefined : openSync(outputTo, 'a');
  const stdio: StdioOptions = ['ignore', output ?? 'ignore', 'inherit'];
  const started = startPinned(0, { command, args }, { cwd, env: { PATH: process.env.PATH, ...env }, stdio });
  if (output !== undefined) closeSync(output);
  return started;
}
