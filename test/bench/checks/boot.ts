import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeDemoModel } from '../../../cli/demo-model/write-demo-model.ts';
import { cacheFolder, projectFolder } from '../../../scripts/project-folders.ts';
import { defaultGatewayCommand } from '../../../supervisor/spawn-gateway.ts';
import { freePort } from '../../harness/free-port.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { inRounds } from '../in-rounds.ts';
import { median } from '../median.ts';
import { startAnywhere } from '../pinned.ts';
import { say } from '../progress.ts';
import type { Check } from './check.ts';

const ROUNDS = 7;
const PATIENCE_MS = 20_000;

const programs = {
  serve: { command: process.execPath, args: [join(projectFolder, 'cli/corral.ts'), 'serve'] },
  gateway: defaultGatewayCommand,
};

/** Ours, by what is asked of it. */
const boots = {
  'supervisor, until it answers 204': { verb: 'serve', path: '/ping' },
  'house, until the demo model is ready': { verb: 'serve', path: '/readyz' },
  'gateway, until its port is open': { verb: 'gateway', path: undefined },
  'gateway, until it answers': { verb: 'gateway', path: '/livez' },
} as const;

export const boot: Check = {
  title: 'From the start of the process',
  about: `Medians of ${ROUNDS} starts in turn, on all cores, code cached by an earlier start.`,
  async find({ stub }) {
    const model = join(cacheFolder, 'bench', 'demo.gguf');
    await writeDemoModel(model);
    const names = Object.keys(boots) as (keyof typeof boots)[];
    const measured = await inRounds(
      names,
      ROUNDS,
      (name) => bootOnce(boots[name], `http://127.0.0.1:${stub.port}`, model),
      (name, error) => say(`${name}: ${error}`),
    );
    return Object.fromEntries([...measured].map(([name, ms]) => [name, { ms: median(ms) }]));
  },
};

async function bootOnce(
  { verb, path }: (typeof boots)[keyof typeof boots],
  backendUrl: string,
  model: string,
): Promise<number> {
  await using folder = await temporaryFolder();
  const [port, healthPort] = [await freePort(), await freePort()];
  const env = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: join(cacheFolder, 'node'),
    HOST: '127.0.0.1',
    PORT: String(port),
    PORT_HEALTH: String(healthPort),
    DATA_DIR: folder.path,
    TMPDIR: folder.path,
    API_KEYS: `bench:sk-${randomBytes(16).toString('hex')}`,
    ...(verb === 'gateway' ? { BACKEND_URL: backendUrl } : { MODEL_PATH: model }),
  };
  const began = performance.now();
  await using started = startAnywhere(programs[verb], { env, stdio: 'ignore' });
  const [asked, status] = verb === 'serve' ? [healthPort, path === '/ping' ? 204 : 200] : [port, 200];
  while (!(await answers(asked, path, status))) {
    if (started.process.exitCode !== null || performance.now() - began > PATIENCE_MS)
      throw new Error(`the ${verb} did not come up`);
    await sleep(1);
  }
  return performance.now() - began;
}

/** Whether somebody listens, and where a path is told, whether it is answered so. */
async function answers(port: number, path: string | undefined, status: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    if (path === undefined) return true;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const [head] = (await once(socket, 'data')) as [Buffer];
    return head.toString().startsWith(`HTTP/1.1 ${status} `) || (status === 204 && isReady(head));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A small model may be there before it is looked for. */
const isReady = (head: Buffer) => head.toString().startsWith('HTTP/1.1 200 ');
