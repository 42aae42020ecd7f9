import { keyFilePath } from '../keys/key-file-path.ts';
import { logFilesIn } from '../log/log-files-config.ts';
import { openLogs } from '../log/open-logs.ts';
import { endWithoutReader } from '../log/standard-output.ts';
import { followUnforeseen, noteUnforeseen } from '../log/unforeseen.ts';
import { readSettings } from '../settings/read-settings.ts';
import { gatewayConfig } from './config.ts';
import { openPort } from './open-port.ts';
import { openParentChannel } from './supervisor/parent-channel.ts';
import { tellOfBackend } from './tell-of-backend.ts';

/** Exit code for wrong use or configuration, the same all over the house. */
const MISCONFIGURED = 2;

export interface Circumstances {
  /** The supervisor's child. */
  readonly inHouse?: boolean;
  /** What the checks before the start have to say, for the log. */
  readonly warnings?: readonly string[];
}

/**
 * The gateway as a process of its own: the supervisor's child (`inHouse`), or alone in front of a llama-server that
 * someone else started (`corral gateway`).
 */
export async function main(
  env: NodeJS.ProcessEnv,
  { inHouse = false, warnings = [] }: Circumstances = {},
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
  const logs = await openLogs({ format, level, files: logFilesIn(dataDir, settings) });
  const log = logs.of('gateway');
  let stop: () => unknown = () => process.exit();
  followUnforeseen(log, () => stop());
  for (const warning of warnings) log.warn(warning);
  const config = gatewayConfig(settings, {
    host,
    keyFile: () => keyFilePath({ AUTH_KEYS_FILE: settings.AUTH_KEYS_FILE, dataDir }),
    dataDir,
    backendUrl: settings.BACKEND_URL ?? '',
    healthUrl: inHouse ? localUrl(host, settings.PORT_HEALTH) : undefined,
  });
  const openedPort = await openPort(config);
  // Last, as reading it takes longest.
  const { startGateway } = await import('./assemble.ts');
  const starting = startGateway(config, log, { parent: openParentChannel(), openedPort });
  // From the first moment on: without somebody who listens the signal would end the process.
  process.on('SIGHUP', () => starting.then((gateway) => gateway.reloadKeys()).catch(noteUnforeseen));
  const gateway = await starting;
  let isStopped = false;
  stop = async () => {
    await gateway.stop().catch(noteUnforeseen);
    // In house the supervisor has the last word; of several signals one is told.
    if (!inHouse && !isStopped) log.info('stopped');
    isStopped = true;
    endWithoutReader();
  };
  if (!inHouse) tellOfBackend(gateway.watch, config.backend.address, log);
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

if (import.meta.main) await main(process.env, { inHouse: true });
