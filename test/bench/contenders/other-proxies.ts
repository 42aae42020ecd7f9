import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import { haproxy, nginx } from '../../services/service-catalogue.ts';
import { requireTestService } from '../../services/test-service.ts';
import { type RunningContender, startContender } from './start-contender.ts';

/** Set up for streams: one worker, no buffering, kept connections to the upstream. */
export function startNginx(upstreamPort: number): Promise<RunningContender> {
  return startContender(async ({ port, folder }) => {
    const { command, args } = await program(nginx);
    await writeFile(folder.file('nginx.conf'), nginxConfiguration(folder.path, port, upstreamPort));
    return {
      command,
      args: [...args, '-p', folder.path, '-e', 'stderr', '-c', folder.file('nginx.conf')],
      probe: '/health',
    };
  });
}

/** One thread, shared connections to the upstream, which are closed when the client disconnects. */
export function startHaproxy(upstreamPort: number): Promise<RunningContender> {
  return startContender(async ({ port, folder }) => {
    const { command, args } = await program(haproxy);
    await writeFile(folder.file('haproxy.cfg'), haproxyConfiguration(port, upstreamPort));
    return { command, args: [...args, '-db', '-f', folder.file('haproxy.cfg')], probe: '/health' };
  });
}

async function program(service: typeof nginx) {
  const found = await requireTestService(service);
  if (found === undefined) throw new Error(`${service.name} is not available`);
  return found;
}

function nginxConfiguration(folder: string, port: number, upstreamPort: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off; master_process off; pid ${folder}/nginx.pid;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  ${paths.join(' ')}
  keepalive_requests 100000000;
  client_body_buffer_size 128k;
  proxy_read_timeout 1h;
  upstream stub { server 127.0.0.1:${upstreamPort} max_fails=0; keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
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

function haproxyConfiguration(port: number, upstreamPort: number): string {
  return `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  option http-no-delay
  option abortonclose
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  default_backend upstream
backend upstream
  server stub 127.0.0.1:${upstreamPort}
`;
}

interface Bundle {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

/** With the versions of its own lock file: with newer ones it responds to every stream with 500 (its issue 1389). */
const portkey: Bundle = {
  name: 'portkey-1.15.2',
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { '@hono/node-server': '1.13.5', hono: '4.9.7' },
};

const fastify: Bundle = {
  name: 'fastify-http-proxy-11.6.3',
  dependencies: { fastify: '5.12.8', '@fastify/http-proxy': '11.6.3' },
};

export function startPortkey(upstreamPort: number): Promise<RunningContender> {
  return startContender(async ({ port }) => {
    const folder = await install(portkey);
    return {
      command: process.execPath,
      args: [
        join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js'),
        '--headless',
        `--port=${port}`,
      ],
      env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
      probe: '/',
      contender: {
        headers: [
          'x-portkey-provider: openai',
          `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
          'Authorization: Bearer none',
        ],
      },
    };
  });
}

/** A plain proxy without keys and log. */
export function startFastify(upstreamPort: number): Promise<RunningContender> {
  return startContender(async ({ port }) => {
    const folder = await install(fastify);
    const main = join(folder, 'main.mjs');
    await writeFile(main, fastifyMain);
    return { command: process.execPath, args: [main, String(port), String(upstreamPort)], probe: '/health' };
  });
}

const fastifyMain = `import Fastify from 'fastify';
import proxy from '@fastify/http-proxy';
const [port, upstreamPort] = process.argv.slice(2);
const app = Fastify({ logger: false });
await app.register(proxy, {
  upstream: 'http://127.0.0.1:' + upstreamPort,
  undici: { connections: 1024, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 },
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
`;

/** Returns the folder with the packages, which npm installs on the first use. */
async function install({ name, dependencies, overrides = {} }: Bundle): Promise<string> {
  const folder = join(cacheFolder, 'bench', name);
  const marker = join(folder, 'installed');
  if (await access(marker).catch(() => 'missing')) {
    console.error(`installing ${Object.keys(dependencies).join(' and ')} into the cache`);
    await mkdir(folder, { recursive: true });
    const manifest = { private: true, dependencies, overrides };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    await execa('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
    await writeFile(marker, '');
  }
  return folder;
}
