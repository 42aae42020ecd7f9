import { get } from 'node:http';
import { type BackendAddress, formatBackendUrl } from '../health/backend.ts';
import type { BackendMonitor } from '../health/backend-monitor.ts';
import { connectOptions } from '../health/request-backend.ts';
import type { WarningLog } from '../log/create-log.ts';

const CHECK_INTERVAL = 1000;
/** When both are started together, the gateway is usually ready first. */
const GRACE_PERIOD = 2000;
const REQUEST_TIMEOUT = 2000;

export interface WarningOptions {
  readonly checkIntervalMs?: number;
  readonly graceMs?: number;
}

/**
 * Warns once each time that the backend is unreachable, with the reason. Without a supervisor this is the only log message
 * about it. Its return is logged as its new status.
 */
export function warnWhenUnreachable(
  monitor: Pick<BackendMonitor, 'status' | 'since'>,
  address: BackendAddress,
  log: WarningLog,
  { checkIntervalMs = CHECK_INTERVAL, graceMs = GRACE_PERIOD }: WarningOptions = {},
): Disposable {
  let isLogged = false;
  const isUnreachable = () => monitor.status === 'starting' || monitor.status === 'restarting';
  async function check(): Promise<void> {
    if (!isUnreachable()) isLogged = false;
    if (!isUnreachable() || isLogged || Date.now() - monitor.since < graceMs) return;
    isLogged = true;
    const reason = await findReason(address);
    if (isUnreachable())
      log.warn(`BACKEND_URL ${formatBackendUrl(address)} is unreachable (${reason}); requests wait`);
    else isLogged = false;
  }
  const timer = setInterval(check, checkIntervalMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Never rejects. */
function findReason(address: BackendAddress): Promise<string> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT);
    const request = get({ ...connectOptions(address), path: '/health', agent: false, signal }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      resolve(
        statusCode === 200 || statusCode === 503
          ? 'it responds too slowly'
          : `GET /health returned status ${statusCode}; is it a llama-server?`,
      );
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve(signal.aborted ? 'timeout' : (error.code ?? error.message)),
    );
  });
}
