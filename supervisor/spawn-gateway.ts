import { join } from 'node:path';
import { type Backend, formatBackendUrl } from '../health/backend.ts';
import type { GatewayMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import { removeJsonExcerpts } from '../log/unhandled-errors.ts';
import type { Variable } from '../settings/variable.ts';
import { type Settings, variables } from '../settings/variables.ts';
import type { SupervisorConfig } from './config.ts';
import { platformKeys } from './platform/stop-instance.ts';
import { type Child, spawnChild } from './process/child.ts';
import {
  createSecretRedactor,
  environmentSecrets,
  keyFileSecrets,
  settingSecrets,
} from './process/redact-secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * A quarter of V8's default size for young objects, in MiB, and a heap that grows by at most so many percent between two
 * collections: 100 MB less under load, at the same speed (docs/performance.md).
 */
export const smallHeap = ['--max-semi-space-size=4', '--heap-growing-percent=80'] as const;

/**
 * After so many calls V8 compiles a function with Maglev and with TurboFan: a quarter and a fifth of its defaults. The
 * gateway is at its final cost after 5,000 requests instead of 12,000 and more (docs/performance.md).
 */
const callsBeforeMaglev = 100;
const callsBeforeTurbofan = 600;

/**
 * V8 allocates literals as old objects where it has seen them survive. Here they are parts of requests: each dead one keeps a
 * whole request until the next major collection, a quarter of the cost of an assembled response (docs/performance.md).
 */
const allLiteralsYoung = '--no-allocation-site-pretenuring';

export const defaultGatewayCommand: Command = {
  command: process.execPath,
  args: [
    ...smallHeap,
    allLiteralsYoung,
    `--invocation-count-for-maglev=${callsBeforeMaglev}`,
    `--invocation-count-for-turbofan=${callsBeforeTurbofan}`,
    join(import.meta.dirname, '..', 'gateway', 'main.ts'),
  ],
};

/**
 * glibc takes memory in up to eight arenas per core, and gives little of it back. With two, the gateway takes 25 MB less
 * under load. Blocks from 128 KiB on it gives back at once, but with the first of them it raises that limit, up to 32 MiB,
 * unless it is set: 1 MB less while idle. Both at the same speed (docs/performance.md).
 */
export const allocatorSettings = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' } as const;

export interface SpawnGatewayOptions {
  readonly command: Command;
  readonly config: SupervisorConfig;
  /** The first engine; undefined if none is ours. */
  readonly backend: Backend | undefined;
  /** The keys of all engines at present. */
  readonly engineKeys: () => readonly string[];
  /** The key of the queue worker; undefined if there is none. */
  readonly queueWorkerKey: string | undefined;
  /** The secret of the runner of batches; undefined if there is none. */
  readonly runnerKey: string | undefined;
  readonly env: Environment;
  readonly log: Log;
  /** Passes on a line of the gateway's own log; false if it is none. */
  readonly forward: (line: string) => boolean;
  readonly onMessage: (message: GatewayMessage) => void;
}

/** Starts a gateway. It logs JSON to stdout, which joins the one log; all other output is unexpected. */
export function spawnGateway(options: SpawnGatewayOptions): Child {
  const { command, config, backend, engineKeys, queueWorkerKey, runnerKey } = options;
  const { env, log, forward, onMessage } = options;
  const settings = {
    ...config.settings,
    LOG_FORMAT: 'json' as const,
    LOG_FILES: false,
    BACKEND_URL: backend && formatBackendUrl(backend.address),
    BACKEND_API_KEY: backend?.apiKey,
    RUNPOD_WORKER_KEY: queueWorkerKey,
    RUNNER_KEY: runnerKey,
  };
  const redact = redactCurrent(
    engineKeys,
    [...settingSecrets(settings), ...environmentSecrets(env)],
    keyFileSecrets({ ...settings, dataDir: config.dataDir }),
  );
  return spawnChild({
    ...command,
    env: gatewayEnvironment(env, settings),
    onStdoutLine(line) {
      if (!forward(line)) log.warn(redact(removeJsonExcerpts(line)));
    },
    filter: removeJsonExcerpts,
    redact,
    onLine: (line) => log.warn(line),
    onMessage: (message) => onMessage(message as GatewayMessage),
  });
}

/** Engines, and so keys, may come while the gateway runs. */
function redactCurrent(
  engineKeys: () => readonly string[],
  secrets: readonly string[],
  keys: readonly string[],
): (line: string) => string {
  let known = engineKeys();
  let redact = createSecretRedactor([...secrets, ...known], keys);
  return (line) => {
    const current = engineKeys();
    if (current.join() !== known.join()) {
      known = current;
      redact = createSecretRedactor([...secrets, ...known], keys);
    }
    return redact(line);
  };
}

/**
 * The environment of the gateway: ours, with every setting as finally decided, so that the gateway decides nothing a
 * second time. Secrets that only other processes need are left out.
 */
export function gatewayEnvironment(env: Environment, settings: Settings): Record<string, string> {
  return {
    ...allocatorSettings,
    ...foreignEnvironment(env),
    ...settingsAsVariables({ ...settings, HF_TOKEN: undefined, RUNPOD_AI_API_KEY: undefined }),
  };
}

/** All variables that are not ours, without the keys of the platforms. */
export function foreignEnvironment(env: Environment): Record<string, string> {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !isOurs(entry[0]) && !isPlatformKey(entry[0]),
  );
  return Object.fromEntries(passed);
}

const isPlatformKey = (name: string) => (platformKeys as readonly string[]).includes(name);

const isOurs = (name: string) => name.replace(/_FILE$/, '') in variables || name in variables;

/** The variables that would produce these settings. */
export function settingsAsVariables(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, variable] of Object.entries(variables) as [string, Variable][]) {
    const value = settings[name];
    if (value !== undefined) result[name] = variable.kind.format(value);
  }
  return result;
}
