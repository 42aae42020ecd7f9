import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { inject } from 'vitest';
import type { Backend } from '../../health/backend.ts';
import type { Engine } from '../../supervisor/engine/installed-engine.ts';
import { waitFor } from '../harness/wait-for.ts';

export interface LlamaServerOptions {
  /** Further arguments of llama-server. */
  readonly args?: readonly string[];
  /** The key it demands; a fresh one where none is given, none at all where it is null. */
  readonly apiKey?: string | null;
  readonly slots?: number;
  /** Context tokens of one request. */
  readonly context?: number;
  readonly extraEnv?: Readonly<Record<string, string>>;
  /** The GGUF file; the demo model where none is given. */
  readonly model?: string;
  /** A folder of models, for a router: a llama-server that starts others. */
  readonly modelsDir?: string;
  /** Resolve as soon as the process runs, without waiting for the model. */
  readonly whileLoading?: boolean;
}

export interface LlamaServer {
  readonly backend: Backend;
  readonly apiKey: string | undefined;
  readonly pid: number;
  /** Settles when the process is gone, however it ended. */
  readonly ended: Promise<void>;
  /** Everything it has printed so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Ends it and removes its folder; may be called twice. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real llama-server with the demo model, on a unix socket in a folder of its own. */
export async function startLlamaServer(options: LlamaServerOptions = {}): Promise<LlamaServer> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-llama-'));
  const socketPath = join(folder, 'llama.sock');
  const apiKey = options.apiKey === null ? undefined : (options.apiKey ?? `test-${randomUUID()}`);
  const engine = inject('engine');
  let printed = '';
  const child = execa(engine.command, [...engine.args, ...argumentsOf(options, socketPath)], {
    all: true,
    buffer: false,
    stdin: 'ignore',
    reject: false,
    extendEnv: false,
    env: {
      PATH: process.env.PATH,
      ...(apiKey === undefined ? {} : { LLAMA_API_KEY: apiKey }),
      ...(options.modelsDir === undefined ? {} : childrenOf(engine)),
      ...options.extraEnv,
    },
  });
  child.all.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const ended = child.then(() => {});
  let isGone = false;
  void ended.then(() => {
    isGone = true;
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  if (child.pid === undefined) {
    await stop();
    throw new Error(`${engine.command} could not be started`);
  }
  const server: LlamaServer = {
    backend: { address: { origin: 'http://llama-server', socketPath }, apiKey },
    apiKey,
    pid: child.pid,
    ended,
    output: () => printed,
    kill: (signal) => void child.kill(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  if (!options.whileLoading) await untilReady(server, socketPath, () => isGone);
  return server;
}

/** A router starts its children by the program that it is, which may be the loader: it says the loader what to load. */
function childrenOf({ args }: Engine): Record<string, string> {
  const [path, libraries, program] = args;
  if (path !== '--library-path' || libraries === undefined || program === undefined) return {};
  return { LLAMA_APP_CMD: program, LD_LIBRARY_PATH: libraries };
}

function argumentsOf(
  { args = [], slots = 2, context = 8192, model = inject('demoModel'), modelsDir }: LlamaServerOptions,
  socketPath: string,
): string[] {
  const served =
    modelsDir === undefined ? ['--model', model, '--alias', 'demo'] : ['--models-dir', modelsDir];
  return [
    ...['--host', socketPath, ...served],
    ...['--parallel', String(slots), '--ctx-size', String(slots * context), '--threads', '1'],
    ...['--no-ui', '--metrics', '--cache-ram', '0', ...args],
  ];
}

async function untilReady(server: LlamaServer, socketPath: string, isGone: () => boolean): Promise<void> {
  try {
    const answer = await waitFor(
      'llama-server to be ready',
      async () => isGone() || (await statusOfHealth(socketPath)) === 200,
    );
    if (answer && isGone()) throw new Error('llama-server ended before it was ready');
  } catch (error) {
    await server.stop();
    throw new Error(`llama-server did not come up:\n${server.output().slice(-4000)}`, { cause: error });
  }
}

function statusOfHealth(socketPath: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  request({ socketPath, path: '/health', agent: false }, (answer) => {
    answer.resume();
    resolve(answer.statusCode);
  })
    .on('error', () => resolve(undefined))
    .end();
  return promise;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The llama-server that the tests use. */
    engine: Engine;
    /** The demo model's file. */
    demoModel: string;
  }
}
