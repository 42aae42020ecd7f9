import type { BackendStatus } from './backend.ts';

/** What the owner of the health server knows at the moment of a question. */
export interface HealthSnapshot {
  readonly status: BackendStatus;
  /** The model has been ready at least once since the process began. */
  readonly everReady: boolean;
  /** The model may be well, and yet nobody is answered: the gateway hangs. */
  readonly gatewayUnresponsive?: boolean;
  /** What `/status` says beyond the standing. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface HealthOptions {
  /** A further path that is answered like `/ping`. */
  readonly healthCheckPath?: string | undefined;
  /** 200 to every GET, whatever the path and the standing. */
  readonly pingAlwaysOk?: boolean;
}

export interface HealthResponse {
  readonly status: number;
  /** Absent where the status forbids a body. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The whole surface of the health server, for a path without its query string. */
export function healthResponse(
  path: string,
  method: string,
  snapshot: HealthSnapshot,
  { healthCheckPath, pingAlwaysOk = false }: HealthOptions = {},
): HealthResponse {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, headers: { allow: 'GET, HEAD' }, body: { error: 'method not allowed' } };
  }
  const { status: standing, details } = snapshot;
  if (path === '/status') return { status: 200, body: { standing, ...details } };
  const status = pingAlwaysOk ? 200 : statusFor(path === healthCheckPath ? '/ping' : path, snapshot);
  if (status === undefined) return { status: 404, body: { error: 'not found' } };
  return status === 204 ? { status } : { status, body: { standing } };
}

function statusFor(
  path: string,
  { status: standing, everReady, gatewayUnresponsive }: HealthSnapshot,
): number | undefined {
  const ending = standing === 'draining' || standing === 'failed';
  const ready = standing === 'ready';
  switch (path) {
    case '/ping':
      return ending || gatewayUnresponsive ? 503 : ready ? 200 : 204;
    case '/readyz':
      return ready ? 200 : 503;
    case '/livez':
      return standing === 'failed' ? 503 : 200;
    case '/startupz':
      return everReady || ready || standing === 'draining' ? 200 : 503;
    default:
      return undefined;
  }
}
