import { join } from 'node:path';
import { type Backend, showBackendUrl } from '../health/backend.ts';
import type { GatewayMessage } from '../health/house-messages.ts';
import type { Log } from '../log/create-log.ts';
import { type Child, startChild } from './child.ts';
import type { SupervisorConfig } from './config.ts';
import { gatewayEnvironment } from './gateway-environment.ts';
import { hide, secretsOf } from './without-secrets.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export const gatewayProgram: Command = {
  command: process.execPath,
  args: [join(import.meta.dirname, '..', 'gateway', 'main.ts')],
};

export interface GatewayChildOptions {
  readonly program: Command;
  readonly config: SupervisorConfig;
  readonly backend: Backend;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly onMessage: (message: GatewayMessage) => void;
}

/** Starts one gateway. It writes its own log to our stdout; what it says on stderr is unexpected and goes into the log. */
export function startGatewayChild(options: GatewayChildOptions): Child {
  const { program, config, backend, env, log, onMessage } = options;
  const settings = {
    ...config.settings,
    BACKEND_URL: showBackendUrl(backend.address),
    BACKEND_API_KEY: backend.apiKey,
  };
  return startChild({
    ...program,
    env: gatewayEnvironment(env, settings),
    stdout: 'inherit',
    show: hide(secretsOf(settings)),
    onLine: (line) => log.warn(line),
    onMessage: (message) => onMessage(message as GatewayMessage),
  });
}
