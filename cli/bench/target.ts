import { Pool } from 'undici';
import { UsageError } from '../run-command.ts';

/** The endpoint to be measured. */
export interface Target {
  /** As it is shown: without user names, passwords and questions. */
  readonly url: string;
  readonly origin: string;
  readonly socketPath: string | undefined;
  /** What stands before `/chat/completions`: `/v1` where the address names nothing. */
  readonly basePath: string;
}

/** Reads `http://host:8000`, `https://host/openai/v1` or `unix:/run/llama.sock`. */
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

/** As many connections as there are requests under way; every limit of time is the asker's own. */
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
