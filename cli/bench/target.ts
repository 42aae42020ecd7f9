import { Pool } from 'undici';
import { UsageError } from '../run-command.ts';

/** The endpoint to measure. */
export interface Target {
  /** For output: without user, password and query. */
  readonly url: string;
  readonly origin: string;
  readonly socketPath: string | undefined;
  /** The path before `/chat/completions`; `/v1` by default. */
  readonly basePath: string;
}

/** Parses `http://host:8000`, `https://host/openai/v1` or `unix:/run/llama.sock`. */
export function readTarget(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'unix:') {
    const socketPath = decodeURIComponent(url.pathname);
    return { url: `unix:${socketPath}`, origin: 'http://localhost', socketPath, basePath: '/v1' };
  }
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new UsageError(
      'the URL must start with http://, https:// or unix:, such as http://127.0.0.1:8000/v1',
    );
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/(?:chat\/)?completions$/, '');
  const basePath = path === '' ? '/v1' : path;
  return { url: `${url.origin}${basePath}`, origin: url.origin, socketPath: undefined, basePath };
}

/** One connection per open request. All timeouts are those of BenchClient. */
export function createPool({ origin, socketPath }: Target): Pool {
  return new Pool(origin, {
    ...(socketPath === undefined ? {} : { socketPath }),
    connections: null,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 30_000 },
    // llama-server closes idle connections after 5 s.
    keepAliveTimeout: 3000,
    keepAliveMaxTimeout: 4000,
  });
}
