import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../supervisor/engine/installed-engine.ts';
import { duplicateSignalMs } from '../../supervisor/process/signals.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

const here = import.meta.dirname;

export type Scenario =
  | 'ready'
  | 'slow'
  | 'crash'
  | 'deaf'
  | 'stubborn'
  | 'stuck'
  | 'jammed'
  | 'creeping'
  | 'rounding'
  | 'router';

export interface DeploymentOptions {
  /** What the stand-in llama-server is to be like. */
  readonly scenario?: Scenario;
  /** A real one in place of the stand-in, with the model it is to load; our own gateway then stands before it. */
  readonly real?: { readonly engine: Engine; readonly model: string };
  /** A folder of an earlier house, to start again in. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A supervisor in a process of its own, with a stand-in llama-server and a stand-in gateway unless told otherwise. */
export interface RunningDeployment extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly modelFolder: string;
  readonly gatewayPort: number;
  /** All that it has printed. */
  output(): string;
  request(path: string): Promise<Response>;
  status(): Promise<{ standing: string; [detail: string]: unknown }>;
  /** Waits until the health server answers and shows this standing. */
  reachesStatus(status: string): Promise<void>;
  /** The children that it has noted, in the order of their start. */
  children(): number[];
  exitCode(): Promise<number | null>;
}

export async function startDeployment({
  scenario = 'ready',
  real,
  folder = newFolder(),
  env = {},
}: DeploymentOptions = {}): Promise<RunningDeployment> {
  const [gatewayPort, healthPort] = [await freePort(), await freePort()];
  const modelFolder = join(folder, 'models');
  mkdirSync(modelFolder, { recursive: true });
  const model = join(modelFolder, `${scenario}.gguf`);
  writeFileSync(model, 'GGUF');
  let printed = '';
  const child = spawn(process.execPath, [join(here, 'programs/serve.ts')], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: join(here, '../../.cache/node'),
      TMPDIR: folder,
      DATA_DIR: join(folder, 'data'),
      HOST: '127.0.0.1',
      PORT: String(gatewayPort),
      PORT_HEALTH: String(healthPort),
      LOG_LEVEL: 'debug',
      ...(real ? realParts(real) : standIns(model)),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const ask = (path: string) => fetch(`http://127.0.0.1:${healthPort}${path}`);
  const status = async () => (await ask('/status')).json() as ReturnType<RunningDeployment['status']>;
  const house: RunningDeployment = {
    process: child,
    folder,
    modelFolder,
    gatewayPort,
    output: () => printed,
    request: ask,
    status,
    async reachesStatus(wanted) {
      const isReached = async () => (await status()).standing === wanted;
      const reached = waitFor(`standing ${wanted}`, isReached);
      await reached.catch((error) => {
        throw new Error(`${error.message}; it printed:\n${printed}`, { cause: error });
      });
    },
    children: () => notedChildren(folder),
    async exitCode() {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await house.exitCode();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  return house;
}

const standIns = (model: string) => ({
  LLAMA_SERVER_BIN: join(here, '../fakes/fake-llama-server.ts'),
  GATEWAY_PROGRAM: join(here, '../fakes/fake-gateway.ts'),
  MODEL_PATH: model,
});

const realParts = ({ engine, model }: NonNullable<DeploymentOptions['real']>) => ({
  ENGINE: JSON.stringify(engine),
  MODEL_PATH: model,
  API_KEYS: 'test:sk-0123456789abcdef',
});

export const newFolder = () => mkdtempSync(join(tmpdir(), 'house-'));

function notedChildren(folder: string): number[] {
  return globSync('corral-*/owner.json', { cwd: folder }).flatMap((file) => {
    const { children } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      children: { pid: number }[];
    };
    return children.map(({ pid }) => pid);
  });
}

/** Settles when a signal is no echo of the one before any more, which the house is known to have taken. */
export async function sendSecondSignal(): Promise<void> {
  const since = performance.now();
  await waitFor('a second wish', () => performance.now() - since > duplicateSignalMs + 50);
}

export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
