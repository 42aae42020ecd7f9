import { join } from 'node:path';
import { type Backend, formatBackendUrl } from '../health/backend.ts';
import type { GatewayMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import { removeJsonExcerpts } from '../log/remove-json-excerpts.ts';
import type { SupervisorConfig } from './config.ts';
import { gatewayEnvironment } from './gateway-environment.ts';
import { type Child, startChild } from './process/child.ts';
import { environmentSecrets, keyFileSecrets, settingSecrets } from './process/known-secrets.ts';
import { createSecretRedactor } from './process/redact-secrets.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * Half of V8's usual size for young objects, MiB: 100 MB less under load, and streams are no slower for it
 * (docs/performance.md).
 */
const SEMI_SPACE = 8;

export const defaultGatewayCommand: Command = {
  command: process.execPath,
  args: [`--max-semi-space-size=${SEMI_SPACE}`, join(import.meta.dirname, '..', 'gateway', 'main.ts')],
};

export interface SpawnGatewayOptions {
  readonly program: Command;
  readonly config: SupervisorConfig;
  readonly backend: Backend;
  /** What the queue worker shows; undefined where there is none. */
  readonly queueWorkerKey: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Takes a line of the gateway's own log; false where it is none. */
  readonly passOn: (line: string) => boolean;
  readonly onMessage: (message: GatewayMessage) => void;
}

/** Starts one gateway. Its log comes in JSON and goes into the one stream of lines; what it says besides is unexpected. */
export function spawnGateway(options: SpawnGatewayOptions): Child {
  const { program, config, backend, queueWorkerKey, env, log, passOn, onMessage } = options;
  const settings = {
    ...config.settings,
    LOG_FORMAT: 'json' as const,
    LOG_FILES: false,
    BACKEND_URL: formatBackendUrl(backend.address),
    BACKEND_API_KEY: backend.apiKey,
    RUNPOD_WORKER_KEY: queueWorkerKey,
  };
  const show = createSecretRedactor(
    [...settingSecrets(settings), ...environmentSecrets(env)],
    keyFileSecrets({ ...settings, dataDir: config.dataDir }),
  );
  return startChild({
    ...program,
    env: gatewayEnvironment(env, settings),
    onStdoutLine(line) {
      if (!passOn(line)) log.warn(show(removeJsonExcerpts(line)));
    },
    cut: removeJsonExcerpts,
    show,
    onLine: (line) => log.warn(line),
    onMessage: (message) => onMessage(message as GatewayMessage),
  });
}
