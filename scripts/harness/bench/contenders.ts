import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Started } from '../../debian/debian-names.ts';
import { freePort } from '../free-port.ts';
import { startGatewayProcess } from '../start-gateway-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitFor } from '../wait-for.ts';

/** One way to the same upstream. */
export interface Contender {
  readonly name: string;
  readonly origin: string;
  readonly apiKey: string | undefined;
  /** The process whose CPU is counted. */
  readonly pid: number;
}

export interface Contenders extends AsyncDisposable {
  readonly all: readonly Contender[];
}

const secret = 'sk-bench-0123456789abcdef';

/** The upstream itself, nginx as a plain proxy, and our gateway with keys, lanes, limits, metrics, ledger and log lines. */
export async function startContenders(nginx: Started): Promise<Contenders> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  const port = await freePort();
  const stub = started.adopt(
    spawn(process.execPath, [join(import.meta.dirname, 'stub-upstream.ts'), String(port)]),
    end,
  );
  const origin = `http://127.0.0.1:${port}`;
  await waitFor('the upstream', () => answers(origin));
  const nginxPort = await freePort();
  await writeFile(folder.file('nginx.conf'), nginxConfiguration(folder.path, nginxPort, port));
  const proxy = started.adopt(
    spawn(nginx.command, [...nginx.args, '-p', folder.path, '-c', folder.file('nginx.conf'), '-e', 'stderr']),
    end,
  );
  await waitFor('nginx', () => answers(`http://127.0.0.1:${nginxPort}`));
  const backend = { address: { origin, socketPath: undefined }, apiKey: undefined };
  const corral = started.use(
    await startGatewayProcess(backend, {
      DATA_DIR: folder.path,
      API_KEYS: `bench:${secret}`,
      MAX_REQUESTS_PER_MINUTE: '100000000',
      LOG_FORMAT: 'json',
    }),
  );
  const stack = started.move();
  return {
    all: [
      { name: 'direct', origin, apiKey: undefined, pid: pidOf(stub) },
      { name: 'nginx', origin: `http://127.0.0.1:${nginxPort}`, apiKey: undefined, pid: pidOf(proxy) },
      { name: 'llama-corral', origin: corral.origin, apiKey: secret, pid: pidOf(corral.process) },
    ],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const answers = async (origin: string) => (await fetch(`${origin}/health`)).ok;

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('a contender could not be started');
  return pid;
}

/** As one would set it up for streams: one worker, nothing held back, connections to the upstream kept. */
function nginxConfiguration(folder: string, port: number, upstreamPort: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off; master_process off; pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  ${paths.join(' ')}
  keepalive_requests 100000000;
  client_body_buffer_size 128k;
  upstream stub { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://stub;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
}
