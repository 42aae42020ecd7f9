import type { StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { freePort } from '../../harness/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type Pinned, startPinned } from '../pinned.ts';
import type { Contender, RunningContender } from './contender.ts';

export interface Place {
  readonly port: number;
  readonly folder: TemporaryFolder;
}

export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The file for its standard output; nowhere otherwise. */
  readonly outputTo?: string;
  /** Asked until it is answered with a success. */
  readonly probe: string;
  readonly more?: Partial<Contender>;
}

/** A contender on the core of the contenders, at a port and with a folder of its own, as soon as it answers. */
export async function startOnPort(
  prepare: (place: Place) => Start | Promise<Start>,
): Promise<RunningContender> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  const port = await freePort();
  const start = await prepare({ port, folder });
  const { pid } = started.use(startProgram(start, folder.path));
  await waitFor(
    `${start.command} ${start.args.at(-1)}`,
    async () => (await fetch(`http://127.0.0.1:${port}${start.probe}`)).ok,
  );
  const stack = started.move();
  return {
    port,
    pid,
    headers: [],
    keyFile: undefined,
    ...start.more,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function startProgram({ command, args, env, outputTo }: Start, cwd: string): Pinned {
  const output = outputTo === undefined ? undefined : openSync(outputTo, 'a');
  const stdio: StdioOptions = ['ignore', output ?? 'ignore', 'inherit'];
  const started = startPinned(0, { command, args }, { cwd, env: { PATH: process.env.PATH, ...env }, stdio });
  if (output !== undefined) closeSync(output);
  return started;
}
