import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, projectFolder } from '../../../scripts/project-folders.ts';
import { defaultGatewayCommand } from '../../../supervisor/spawn-gateway.ts';
import { freePort } from '../../harness/free-port.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { startUnpinned } from '../pinned-process.ts';
import { logProgress, measureInRounds, median } from '../rounds.ts';
import { type Check, demoModel } from './check.ts';

const ROUNDS = 7;
const TIMEOUT_MS = 20_000;

const programs = {
  serve: { command: process.execPath, args: [join(projectFolder, 'cli/corral.ts'), 'serve'] },
  gateway: defaultGatewayCommand,
};

interface Boot {
  readonly program: keyof typeof programs;
  /** The path that must respond; undefined: the port must be open. */
  readonly path?: string;
}

const boots = {
  'supervisor, until /ping responds': { program: 'serve', path: '/ping' },
  'deployment, until the demo model is ready': { program: 'serve', path: '/readyz' },
  'gateway, until its port is open': { program: 'gateway' },
  'gateway, until /livez responds': { program: 'gateway', path: '/livez' },
} as const satisfies Readonly<Record<string, Boot>>;

export const boot: Check = {
  title: 'From the start of the process',
  description: `Medians of ${ROUNDS} starts in turn, on all cores, with the code cache of an earlier start.`,
  async run({ stub }) {
    const model = await demoModel();
    const start = (name: keyof typeof boots) =>
      measureBoot(boots[name], `http://127.0.0.1:${stub.port}`, model);
    const times = await measureInRounds(Object.keys(boots) as (keyof typeof boots)[], {
      roundsOf: () => ROUNDS,
      warmUp: start,
      measure: start,
      onFailure: (name, error) => logProgress(`${name}: ${error}`),
    });
    return Object.fromEntries([...times].map(([name, ms]) => [name, { ms: median(ms) }]));
  },
};

async function measureBoot({ program, path }: Boot, backendUrl: string, model: string): Promise<number> {
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
    ...(program === 'gateway' ? { BACKEND_URL: backendUrl } : { MODEL_PATH: model }),
  };
  const startedAt = performance.now();
  await using started = startUnpinned(programs[program], { env, stdio: 'ignore' });
  while (!(await isUp(program === 'serve' ? healthPort : port, path))) {
    if (started.process.exitCode !== null || performance.now() - startedAt > TIMEOUT_MS)
      throw new Error(`${program} did not start`);
    await sleep(1);
  }
  return performance.now() - startedAt;
}

/** Whether the port is open and, if there is a path, whether it responds. /ping is 204 while the model loads. */
async function isUp(port: number, path: string | undefined): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    if (path === undefined) return true;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const [head] = (await once(socket, 'data')) as [Buffer];
    return /^HTTP\/1\.1 20[04] /.test(head.toString());
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
