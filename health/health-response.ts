import type { BackendStatus } from './backend.ts';

/** The state of the deployment at the moment of a request. */
export interface HealthSnapshot {
  readonly status: BackendStatus;
  /** The model has been ready at least once since the process started. */
  readonly everReady: boolean;
  /** The gateway hangs: no request is served, even if the model is fine. */
  readonly gatewayUnresponsive?: boolean;
  /** What `/status` shows beyond the status. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface HealthOptions {
  /** Another path that is handled like `/ping`. */
  readonly healthCheckPath?: string | undefined;
  /** 200 to every GET, whatever the path and the status. */
  readonly pingAlwaysOk?: boolean;
}

export interface HealthResponse {
  readonly status: number;
  /** Absent if the status code forbids a body. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** All responses of the health server, for a path without its query string. */
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
  const code = pingAlwaysOk ? 200 : statusCode(path === healthCheckPath ? '/ping' : path, snapshot);
  if (code === undefined) return { status: 404, body: { error: 'not found' } };
  return code === 204 ? { status: code } : { status: code, body: { standing } };
}

function statusCode(
  path: string,
  { status, everReady, gatewayUnresponsive }: HealthSnapshot,
): number | undefined {
  const isEnding = status === 'draining' || status === 'failed';
  const isReady = status === 'ready';
  switch (path) {
    case '/ping':
      return isEnding || gatewayUnresponsive ? 503 : isReady ? 200 : 204;
    case '/readyz':
      return isReady ? 200 : 503;
    case '/livez':
      return status === 'failed' ? 503 : 200;
    case '/startupz':
      return everReady || isReady || status === 'draining' ? 200 : 503;
    default:
      return undefined;
  }
}
