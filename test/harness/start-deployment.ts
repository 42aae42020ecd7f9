import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AliasState, ModelStatus } from '../../health/supervisor-messages.ts';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { duplicateSignalMs } from '../../supervisor/process/signals.ts';
import { killChild } from './child-processes.ts';
import { freePort } from './free-port.ts';
import { showIfTestFails } from './process-outputs.ts';
import { removeFolder } from './temporary-folder.ts';
import { waitFor } from './wait-for.ts';

const here = import.meta.dirname;

export type Scenario =
  | 'ready'
  | 'slow'
  | 'crash'
  | 'hungry'
  | 'deaf'
  | 'stubborn'
  | 'stuck'
  | 'jammed'
  | 'creeping'
  | 'rounding'
  | 'router';

export interface DeploymentOptions {
  /** The behaviour of the fake llama-server. */
  readonly scenario?: Scenario;
  /** Runs a real llama-server with this model and the real gateway instead of the fakes. */
  readonly real?: { readonly engine: InstalledEngine; readonly model: string };
  /** The folder of an earlier deployment, to start again in. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What `/status` shows of a model. */
export interface ModelView {
  readonly id: string;
  readonly status: ModelStatus;
  readonly failure: string | null;
  readonly loadProgress: number | null;
  readonly memory: number | null;
  readonly crashes: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly loads: number;
  readonly loadSeconds: number;
  readonly unloads: number;
  readonly engines: readonly { readonly id: string; readonly status: string }[];
}

/** What `/status` of the health server reports. */
export interface DeploymentStatus {
  readonly standing: string;
  readonly models?: readonly ModelView[];
  readonly aliases?: readonly AliasState[];
  readonly [detail: string]: unknown;
}

/** A supervisor as a process, by default with a fake llama-server and a fake gateway. */
export interface RunningDeployment extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly modelFolder: string;
  readonly gatewayPort: number;
  /** Its stdout and stderr. */
  output(): string;
  request(path: string): Promise<Response>;
  status(): Promise<DeploymentStatus>;
  /** Waits until the health server responds with this status. */
  reachesStatus(status: string): Promise<void>;
  /** The pids of its children in the order of their start. */
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
  let output = '';
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
      ...(real ? realParts(real) : fakeParts(model)),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  showIfTestFails(() => output);
  const request = (path: string) => fetch(`http://127.0.0.1:${healthPort}${path}`);
  const status = async () => (await request('/status')).json() as ReturnType<RunningDeployment['status']>;
  const deployment: RunningDeployment = {
    process: child,
    folder,
    modelFolder,
    gatewayPort,
    output: () => output,
    request,
    status,
    async reachesStatus(wanted) {
      const isReached = async () => (await status()).standing === wanted;
      const reached = waitFor(`the status ${wanted}`, isReached);
      await reached.catch((error) => {
        throw new Error(`${error.message}; its output:\n${output}`, { cause: error });
      });
    },
    children: () => recordedChildren(folder),
    async exitCode() {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      await killChild(child);
      await removeFolder(folder);
    },
  };
  return deployment;
}

const fakeParts = (model: string) => ({
  LLAMA_SERVER_BIN: join(here, '../fakes/fake-llama-server.ts'),
  GATEWAY_PROGRAM: join(here, '../fakes/fake-gateway.ts'),
  MODEL_PATH: model,
});

const realParts = ({ engine, model }: NonNullable<DeploymentOptions['real']>) => ({
  ENGINE: JSON.stringify(engine),
  MODEL_PATH: model,
  API_KEYS: 'test:sk-0123456789abcdef',
  // Two threads wait for each other in a loop, which takes many times the CPU time on a busy machine.
  THREADS: '1',
});

export const newFolder = () => mkdtempSync(join(tmpdir(), 'deployment-'));

function recordedChildren(folder: string): number[] {
  return globSync('corral-*/owner.json', { cwd: folder }).flatMap((file) => {
    const { children } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      children: { pid: number }[];
    };
    return children.map(({ pid }) => pid);
  });
}

/** Waits until another signal is not ignored as a duplicate of the first, which must have been received. */
export async function sendSecondSignal(): Promise<void> {
  const since = performance.now();
  await waitFor(
    'the time of duplicate signals to end',
    () => performance.now() - since > duplicateSignalMs + 50,
  );
}

export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
