import { keyFilePath } from '../keys/key-file-path.ts';
import { createLogs, logFilesConfig } from '../log/create-logs.ts';
import { exitWithoutReader } from '../log/standard-output.ts';
import { handleUnhandledErrors, recordUnhandledError } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import { gatewayConfig } from './config.ts';
import { createParentChannel } from './ipc/supervisor-client.ts';
import { startListening } from './server/listen.ts';
import { warnWhenUnreachable } from './unreachable-backend-warning.ts';

/** Exit code for wrong use or configuration, the same all over the house. */
const MISCONFIGURED = 2;

export interface MainOptions {
  /** The supervisor's child. */
  readonly supervised?: boolean;
  /** What the checks before the start have to say, for the log. */
  readonly warnings?: readonly string[];
}

/**
 * The gateway as a process of its own: the supervisor's child (`inHouse`), or alone in front of a llama-server that
 * someone else started (`corral gateway`).
 */
export async function main(
  env: NodeJS.ProcessEnv,
  { supervised = false, warnings = [] }: MainOptions = {},
): Promise<void> {
  const { settings, problems } = readSettings(env);
  const complaints = problems.map((problem) => problem.message);
  if (settings.BACKEND_URL === undefined && complaints.length === 0) complaints.push('BACKEND_URL: not set');
  if (complaints.length > 0) {
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
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
  const config = gatewayConfig(settings, {
    host,
    keyFile: () => keyFilePath({ AUTH_KEYS_FILE: settings.AUTH_KEYS_FILE, dataDir }),
    dataDir,
    backendUrl: settings.BACKEND_URL ?? '',
    healthUrl: supervised ? localUrl(host, settings.PORT_HEALTH) : undefined,
  });
  const openedPort = await startListening(config);
  // Last, as reading it takes longest.
  const { startGateway } = await import('./start-gateway.ts');
  const starting = startGateway(config, log, { parent: createParentChannel(), openedPort });
  // From the first moment on: without somebody who listens the signal would end the process.
  process.on('SIGHUP', () => starting.then((gateway) => gateway.reloadKeys()).catch(recordUnhandledError));
  const gateway = await starting;
  let isStopped = false;
  stop = async () => {
    await gateway.stop().catch(recordUnhandledError);
    // In house the supervisor has the last word; of several signals one is told.
    if (!supervised && !isStopped) log.info('stopped');
    isStopped = true;
    exitWithoutReader();
  };
  if (!supervised) warnWhenUnreachable(gateway.watch, config.backend.address, log);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'draining');
      // What the supervisor has told us before it sent the signal is heard first: why nobody is served any more.
      setImmediate(() => stop());
    });
  }
}

/** Where something that listens on `host` is reached from this machine. */
function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

if (import.meta.main) await main(process.env, { supervised: true });
