import type { Log } from '../log/create-log.ts';
import type { Settings } from '../settings/variables.ts';
import { exitCodes } from './exit-codes.ts';
import { connectableHost } from './probe-gateway.ts';
import { type Child, type ChildExit, spawnChild } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import { ManagedProcess } from './process/managed-process.ts';
import { createSecretRedactor, environmentSecrets, settingSecrets } from './process/redact-secrets.ts';
import type { RestartPolicy } from './process/restart-policy.ts';
import { foreignEnvironment, settingsAsVariables } from './spawn-gateway.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the gateway is, and the key of this client there. */
export interface ClientConnection {
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

/** What the deployment gives to each client. */
export interface ClientOptions extends ClientConnection {
  readonly settings: Settings;
  readonly env: Environment;
  readonly policy: RestartPolicy;
  /** For output that is not a line of its log. */
  readonly log: Log;
  /** Passes on a line of its log; false if it is none. */
  readonly forward: (line: string) => boolean;
  readonly onSpawned: (child: Child) => void;
}

/** A program of ours that sends requests to the gateway. */
export interface ClientProgram {
  /** For Node: the file, behind options of V8. */
  readonly args: readonly string[];
  /** It gets these variables and no others of ours: no client's key, no token for models. */
  readonly passedVariables: readonly (keyof Settings)[];
  /** The variables that tell it about the gateway. */
  readonly connect: (connection: ClientConnection) => Partial<Settings>;
}

export interface ClientEvents {
  readonly onMessage?: (message: unknown) => void;
  /** An unexpected exit; the state shows whether it will be restarted. */
  readonly onCrash: (exit: ChildExit, state: ChildState) => void;
}

/** A client of the gateway as a child: its crash affects neither the models nor the gateway's other clients. */
export function createClientProcess(
  program: ClientProgram,
  options: ClientOptions,
  { onMessage = () => {}, onCrash }: ClientEvents,
): ManagedProcess {
  return new ManagedProcess({
    spawn: () => spawnClient(program, options, onMessage),
    policy: options.policy,
    classifyExit: ({ code }) => (code === exitCodes.configuration ? 'exited-fatally' : 'exited'),
    onExit(exit, state) {
      if (state.phase === 'waiting' || state.phase === 'given-up') onCrash(exit, state);
    },
  });
}

function spawnClient(
  program: ClientProgram,
  { settings, env, key, log, forward, onSpawned, ...connection }: ClientOptions,
  onMessage: (message: unknown) => void,
): Child {
  const redact = createSecretRedactor([...settingSecrets(settings), ...environmentSecrets(env), key]);
  const child = spawnChild({
    command: process.execPath,
    args: program.args,
    env: clientEnvironment(program, env, settings, { key, ...connection }),
    onStdoutLine(line) {
      if (!forward(line)) log.warn(redact(line));
    },
    redact,
    onLine: (line) => log.warn(line),
    onMessage,
  });
  onSpawned(child);
  return child;
}

export function clientEnvironment(
  { passedVariables, connect }: ClientProgram,
  env: Environment,
  settings: Settings,
  { host, ...connection }: ClientConnection,
): Record<string, string> {
  const passed = Object.fromEntries(passedVariables.map((name) => [name, settings[name]]));
  return {
    ...foreignEnvironment(env),
    ...settingsAsVariables({
      ...passed,
      ...{ LOG_FORMAT: 'json', LOG_FILES: false },
      ...connect({ host: connectableHost(host), ...connection }),
    }),
  };
}
