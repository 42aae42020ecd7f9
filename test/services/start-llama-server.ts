import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { inject } from 'vitest';
import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { removeFolder } from '../harness/temporary-folder.ts';
import { waitFor } from '../harness/wait-for.ts';

export interface LlamaServerOptions {
  /** More arguments of llama-server. */
  readonly args?: readonly string[];
  /** Its API key; by default a new one, null for none. */
  readonly apiKey?: string | null;
  readonly slots?: number;
  /** Context tokens of one request. */
  readonly context?: number;
  readonly extraEnv?: Readonly<Record<string, string>>;
  /** The GGUF file; by default the demo model. */
  readonly model?: string;
  /** A folder of models, for a router: a llama-server that starts others. */
  readonly modelsDir?: string;
  /** By default the one that the global setup of the tests has found. */
  readonly engine?: InstalledEngine;
  /** Resolve as soon as the process runs, without waiting for the model. */
  readonly whileLoading?: boolean;
}

export interface LlamaServer {
  readonly backend: Backend;
  readonly apiKey: string | undefined;
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  /** Its output so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Stops it and removes its folder; may be called twice. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real llama-server with the demo model, on a unix socket in a folder of its own. */
export async function startLlamaServer(options: LlamaServerOptions = {}): Promise<LlamaServer> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-llama-'));
  const socketPath = join(folder, 'llama.sock');
  const apiKey = options.apiKey === null ? undefined : (options.apiKey ?? `test-${randomUUID()}`);
  const { engine = inject('engine') } = options;
  let output = '';
  const child = execa(engine.command, [...engine.args, ...argumentsOf(options, socketPath)], {
    all: true,
    buffer: false,
    stdin: 'ignore',
    reject: false,
    extendEnv: false,
    env: {
      PATH: process.env.PATH,
      ...(apiKey === undefined ? {} : { LLAMA_API_KEY: apiKey }),
      ...(options.modelsDir === undefined ? {} : routerEnvironment(engine)),
      ...options.extraEnv,
    },
  });
  child.all.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = child.then(() => {});
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await removeFolder(folder);
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
    output: () => output,
    kill: (signal) => void child.kill(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  if (!options.whileLoading) await waitUntilReady(server, socketPath, () => hasEnded);
  return server;
}

/** Posts to a llama-server without a gateway in between. Throws if the status is not 200. */
export async function requestEngine<T>({ backend }: LlamaServer, path: string, body: object): Promise<T> {
  const response = await requestBackend(backend, { path, body, timeoutMs: 3_600_000 });
  if (response.outcome !== 'responded') throw new Error(`${path}: ${response.outcome}`);
  if (response.status !== 200) throw new Error(`${path} responded ${response.status}: ${response.body}`);
  return JSON.parse(response.body) as T;
}

/** A router starts its own executable for each model. That may be the loader, which then needs the program. */
function routerEnvironment({ args }: InstalledEngine): Record<string, string> {
  const [path, libraries, program] = args;
  if (path !== '--library-path' || libraries === undefined || program === undefined) return {};
  return { LLAMA_APP_CMD: program, LD_LIBRARY_PATH: libraries };
}

function argumentsOf(
  { args = [], slots = 2, context = 8192, model, modelsDir }: LlamaServerOptions,
  socketPath: string,
): string[] {
  const served =
    modelsDir === undefined
      ? ['--model', model ?? inject('demoModel'), '--alias', 'demo']
      : ['--models-dir', modelsDir];
  return [
    ...['--host', socketPath, ...served],
    ...['--parallel', String(slots), '--ctx-size', String(slots * context), '--threads', '1'],
    ...['--no-ui', '--metrics', '--cache-ram', '0', ...args],
  ];
}

async function waitUntilReady(
  server: LlamaServer,
  socketPath: string,
  hasEnded: () => boolean,
): Promise<void> {
  try {
    const isDone = await waitFor(
      'llama-server to be ready',
      async () => hasEnded() || (await healthStatus(socketPath)) === 200,
    );
    if (isDone && hasEnded()) throw new Error('llama-server ended before it was ready');
  } catch (error) {
    await server.stop();
    throw new Error(`llama-server did not start:\n${server.output().slice(-4000)}`, { cause: error });
  }
}

function healthStatus(socketPath: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  request({ socketPath, path: '/health', agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on('error', () => resolve(undefined))
    .end();
  return promise;
}

declare module 'vitest' {
  interface ProvidedContext {
    engine: InstalledEngine;
    /** The path of the demo model. */
    demoModel: string;
  }
}
