import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { freePort } from '../harness/free-port.ts';
import { removeFolder } from '../harness/temporary-folder.ts';
import { waitFor } from '../harness/wait-for.ts';

export interface RunningNginx extends AsyncDisposable {
  readonly origin: string;
}

/** Starts a real nginx in front of `upstream` (`host:port`) with this `proxy_read_timeout`. */
export async function startNginx(
  program: ProgramCommand,
  { upstream, readTimeout }: { readonly upstream: string; readonly readTimeout: string },
): Promise<RunningNginx> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-nginx-'));
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configuration(folder, port, upstream, readTimeout));
  const child = execa(program.command, [...program.args, '-p', folder, '-c', config, '-e', 'stderr'], {
    all: true,
    stdin: 'ignore',
    reject: false,
  });
  const origin = `http://127.0.0.1:${port}`;
  const isReady = () => fetch(`${origin}/livez`).then(({ ok }) => ok);
  await waitFor('nginx to forward requests', isReady);
  return {
    origin,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await child;
      await removeFolder(folder);
    },
  };
}

function configuration(folder: string, port: number, upstream: string, readTimeout: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off; master_process off; pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${paths.join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_read_timeout ${readTimeout};
    }
  }
}
`;
}
