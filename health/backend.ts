/** One llama-server as its clients see it. */
export interface Backend {
  readonly address: BackendAddress;
  /** The key it requires; undefined if it requires none. */
  readonly apiKey: string | undefined;
}

/** `origin` is what an HTTP client connects to; with `socketPath` it connects there, and the origin is only a name. */
export interface BackendAddress {
  readonly origin: string;
  readonly socketPath: string | undefined;
}

/**
 * The status of a backend.
 * starting: its process has not bound its address yet · loading: bound, the model is being loaded · ready: it serves ·
 * restarting: it has exited, and a new one is starting · failed: it will not come back · draining: it finishes running
 * requests and accepts no new ones.
 */
export type BackendStatus = 'starting' | 'loading' | 'ready' | 'restarting' | 'failed' | 'draining';

/** Parses `http://host:port` or `unix:/path.sock`; throws a TypeError for anything else. */
export function parseBackendUrl(url: string): BackendAddress {
  if (url.startsWith('unix:')) {
    const socketPath = decodeURIComponent(new URL(url).pathname);
    return { origin: 'http://llama-server', socketPath };
  }
  const { protocol, origin } = new URL(url);
  if (protocol !== 'http:') throw new TypeError(`${url} is neither http: nor unix:`);
  return { origin, socketPath: undefined };
}

/** The inverse of parseBackendUrl: the value of `BACKEND_URL`. */
export function formatBackendUrl({ origin, socketPath }: BackendAddress): string {
  return socketPath === undefined ? origin : `unix:${socketPath}`;
}
