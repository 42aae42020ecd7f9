import { keyFilePath } from '../keys/key-file-path.ts';
import { createLogs, logFilesConfig } from '../log/create-logs.ts';
import { exitWithoutReader } from '../log/standard-output.ts';
import { handleUnhandledErrors, recordUnhandledError } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import { gatewayConfig } from './config.ts';
import { createParentChannel } from './ipc/supervisor-client.ts';
import { startListening } from './server/listen.ts';
import { warnWhenUnreachable } from './unreachable-backend-warning.ts';

/** Exit code for wrong usage or configuration, the same for all processes. */
const MISCONFIGURED = 2;

export interface MainOptions {
  /** Whether the process is a child of the supervisor. */
  readonly supervised?: boolean;
  /** Warnings of earlier checks, for the log. */
  readonly warnings?: readonly string[];
}

/**
 * The gateway as a process: a child of the supervisor (`supervised`), or standalone in front of an existing llama-server
 * (`corral gateway`).
 */
export async function main(
  env: NodeJS.ProcessEnv,
  { supervised = false, warnings = [] }: MainOptions = {},
): Promise<void> {
  const { settings, problems } = readSettings(env);
  const messages = problems.map((problem) => problem.message);
  if (settings.BACKEND_URL === undefined && settings.MODELS_FILE === undefined && messages.length === 0)
    messages.push(
      'BACKEND_URL: not set; set it to the URL of llama-server, or MODELS_FILE for several models',
    );
  if (messages.length > 0) {
    for (const message of messages) process.stderr.write(`${message}\n`);
    process.exitCode = MISCONFIGURED;
    return;
  }
  const host = settings.HOST ?? '127.0.0.1';
  const dataDir = settings.DATA_DIR ?? './data';
  const { LOG_FORMAT: format, LOG_LEVEL: level } = settings;
  const logs = await createLogs({ format, level, files: logFilesConfig(dataDir, settings) });
  const log = logs.getLog('gateway');
  let stop: () => unknown = () => process.exit();
  handleUnhandledErrors(log, () => stop());
  for (const warning of warnings) log.warn(warning);
  if (settings.STORE && settings.RUNNER_KEY === undefined)
    log.warn(
      'batches are stored but not run, and background responses stay queued, as only "corral serve" starts the process that runs them',
    );
  const config = gatewayConfig(settings, {
    host,
    keyFile: () => keyFilePath({ AUTH_KEYS_FILE: settings.AUTH_KEYS_FILE, dataDir }),
    dataDir,
    backendUrl: settings.BACKEND_URL,
    healthUrl: supervised ? localUrl(host, settings.PORT_HEALTH) : undefined,
  });
  const listening = await startListening(config);
  // Imported last, because it takes longest to load.
  const { startGateway } = await import('./start-gateway.ts');
  const starting = startGateway(config, log, { parent: createParentChannel(), listening });
  // Registered at once: without a handler the signal would end the process.
  process.on('SIGHUP', () => starting.then((gateway) => gateway.reloadKeys()).catch(recordUnhandledError));
  const gateway = await starting.catch(exitIfMisconfigured);
  let isLogged = false;
  stop = async () => {
    await gateway.stop().catch(recordUnhandledError);
    // Under a supervisor that one logs the end. Of several signals only the first is logged.
    if (!supervised && !isLogged) log.info('stopped');
    isLogged = true;
    exitWithoutReader();
  };
  if (!supervised && config.backend)
    warnWhenUnreachable(gateway.overview.monitor, config.backend.address, log);
  let isDraining = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, isDraining ? 'stopping without waiting for requests' : 'draining');
      isDraining = true;
      // Handle the messages first that the supervisor sent before the signal: they say why requests are rejected.
      setImmediate(() => stop());
    });
  }
}

/** The store cannot be opened as it is configured, such as with another STORE_KEY. */
function exitIfMisconfigured(error: unknown): never {
  if (!(error instanceof Error) || error.name !== 'StoreError') throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(MISCONFIGURED);
}

/** The local URL of a server that listens on `host`. */
function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

if (import.meta.main) await main(process.env, { supervised: true });
