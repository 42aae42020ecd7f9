import { writeFile } from 'node:fs/promises';
import { haproxy, nginx } from '../../services/service-catalogue.ts';
import { requireTestService } from '../../services/test-service.ts';
import type { RunningContender } from './contender.ts';
import { startOnPort } from './start-on-port.ts';

/** As one would set it up for streams: one worker, nothing held back, connections to the upstream kept. */
export function startNginx(upstreamPort: number): Promise<RunningContender> {
  return startOnPort(async ({ port, folder }) => {
    const { command, args } = await program(nginx);
    await writeFile(folder.file('nginx.conf'), nginxConfiguration(folder.path, port, upstreamPort));
    return {
      command,
      args: [...args, '-p', folder.path, '-e', 'stderr', '-c', folder.file('nginx.conf')],
      probe: '/health',
    };
  });
}

/** One thread, connections to the upstream shared, and closed when the client leaves. */
export function startHaproxy(upstreamPort: number): Promise<RunningContender> {
  return startOnPort(async ({ port, folder }) => {
    const { command, args } = await program(haproxy);
    await writeFile(folder.file('haproxy.cfg'), haproxyConfiguration(port, upstreamPort));
    return { command, args: [...args, '-db', '-f', folder.file('haproxy.cfg')], probe: '/health' };
  });
}

async function program(peer: typeof nginx) {
  const found = await requireTestService(peer);
  if (found === undefined) throw new Error(`${peer.name} is needed`);
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
