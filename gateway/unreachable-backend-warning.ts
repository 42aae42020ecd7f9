import { get } from 'node:http';
import { type BackendAddress, formatBackendUrl } from '../health/backend.ts';
import type { BackendMonitor } from '../health/backend-monitor.ts';
import { connectOptions } from '../health/request-backend.ts';
import type { Log } from '../log/create-log.ts';

const LOOK_EVERY = 1000;
/** For those that are started together: the gateway is mostly first. */
const GRACE = 2000;
const PATIENCE = 2000;

export interface WarningOptions {
  readonly lookEveryMs?: number;
  readonly graceMs?: number;
}

/**
 * Says once for each absence of the backend, and why, that requests wait for it. Where nobody else looks after it this is
 * all that an operator hears. That it is back is told as its standing.
 */
export function warnWhenUnreachable(
  watch: Pick<BackendMonitor, 'status' | 'since'>,
  address: BackendAddress,
  log: Pick<Log, 'warn'>,
  { lookEveryMs = LOOK_EVERY, graceMs = GRACE }: WarningOptions = {},
): Disposable {
  let isTold = false;
  const isAway = () => watch.status === 'starting' || watch.status === 'restarting';
  async function look(): Promise<void> {
    if (!isAway()) isTold = false;
    if (!isAway() || isTold || Date.now() - watch.since < graceMs) return;
    isTold = true;
    const why = await whyAway(address);
    if (isAway())
      log.warn(`BACKEND_URL ${formatBackendUrl(address)} does not answer (${why}): requests wait`);
    else isTold = false;
  }
  const timer = setInterval(look, lookEveryMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Never rejects. */
function whyAway(address: BackendAddress): Promise<string> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(PATIENCE);
    const question = get(
      { ...connectOptions(address), path: '/health', agent: false, signal },
      (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        resolve(
          statusCode === 200 || statusCode === 503
            ? 'too slowly'
            : `status ${statusCode} of /health: is it a llama-server?`,
        );
      },
    );
    question.on('error', (error: NodeJS.ErrnoException) =>
      resolve(signal.aborted ? 'nothing comes in time' : (error.code ?? error.message)),
    );
  });
}
