/** One llama-server as its clients see it. */
export interface Backend {
  readonly address: BackendAddress;
  /** The key it demands; undefined where it demands none. */
  readonly apiKey: string | undefined;
}

/** `origin` is what an HTTP client dials; with `socketPath` it goes there and the origin is only a name. */
export interface BackendAddress {
  readonly origin: string;
  readonly socketPath: string | undefined;
}

/** Reads `http://host:port` or `unix:/path.sock`; throws a TypeError for anything else. */
export function parseBackendUrl(url: string): BackendAddress {
  if (url.startsWith('unix:')) {
    const socketPath = decodeURIComponent(new URL(url).pathname);
    return { origin: 'http://llama-server', socketPath };
  }
  const { protocol, origin } = new URL(url);
  if (protocol !== 'http:') throw new TypeError(`${url} is neither http: nor unix:`);
  return { origin, socketPath: undefined };
}

/** The inverse of parseBackendUrl: what `BACKEND_URL` holds. */
export function formatBackendUrl({ origin, socketPath }: BackendAddress): string {
  return socketPath === undefined ? origin : `unix:${socketPath}`;
}
