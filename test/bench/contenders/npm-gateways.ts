import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import type { RunningContender } from './contender.ts';
import { startOnPort } from './start-on-port.ts';

interface Bundle {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

/** With what its own lock file names: with anything newer it answers every stream with 500 (its issue 1389). */
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
  return startOnPort(async ({ port }) => {
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
      more: {
        headers: [
          'x-portkey-provider: openai',
          `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
          'Authorization: Bearer none',
        ],
      },
    };
  });
}

/** A plain proxy: no keys, no log. */
export function startFastify(upstreamPort: number): Promise<RunningContender> {
  return startOnPort(async ({ port }) => {
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

/** The folder with the packages, installed there by npm the first time. */
async function install({ name, dependencies, overrides = {} }: Bundle): Promise<string> {
  const folder = join(cacheFolder, 'bench', name);
  const mark = join(folder, 'installed');
  if (await access(mark).catch(() => 'missing')) {
    console.error(`installing ${Object.keys(dependencies).join(' and ')} into the cache`);
    await mkdir(folder, { recursive: true });
    const manifest = { private: true, dependencies, overrides };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    await execa('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
    await writeFile(mark, '');
  }
  return folder;
}
