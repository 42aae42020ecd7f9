import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killProcess } from '../harness/child-processes.ts';
import { freePort } from '../harness/free-port.ts';
import { waitFor } from '../harness/wait-for.ts';
import { createImageRoot, type ImagePrograms, type Mount } from './image-root.ts';
import { type Dockerfile, readDockerfile } from './read-dockerfile.ts';

/** The user of the image. */
export const imageUser = 10_001;

/** The default of container engines. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Steps that need the network. Their results are in the root already. */
const networkSteps = /apt-get|npm ci|RELEASE/;

export interface RehearsalOptions extends ImagePrograms {
  readonly dockerfile: string;
  /** The model at /data/models/demo.gguf. */
  readonly model: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A container without a container engine: own namespaces, a read-only root, the user of the image. */
export interface Rehearsal extends AsyncDisposable {
  readonly port: number;
  readonly healthPort: number;
  /** The pid of its first process on this machine; 0 if it has ended. */
  firstProcess(): number;
  output(): string;
  hasEnded(): boolean;
  /** The exit status of the first process. */
  exitCode(): Promise<number | null>;
}

/** Whether this machine allows namespaces: only for root, and not in every container. */
export function canRehearse(): boolean {
  try {
    execFileSync('unshare', ['--mount', '--pid', '--fork', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

export async function rehearseImage({
  dockerfile,
  model,
  env,
  ...programs
}: RehearsalOptions): Promise<Rehearsal> {
  const root = await mkdtemp(join(tmpdir(), 'image-'));
  const image = readDockerfile(dockerfile);
  const [port, healthPort] = [await freePort(), await freePort()];
  const mounts = createImageRoot(root, programs);
  const variables = { ...environmentOf(image), PORT: String(port), PORT_HEALTH: String(healthPort), ...env };
  const script = [
    'set -e',
    // chroot is in a folder that is not on the PATH of an ordinary user.
    'PATH="$PATH:/usr/sbin:/sbin"',
    `mount --bind ${root} ${root}`,
    // Before the mounts, because the project may be in /tmp.
    `mount -t tmpfs -o mode=1777 none ${root}/tmp`,
    ...mounts.flatMap((mount) => bind(root, mount)),
    ...stepsOf(image).map(
      (text) => `chroot ${root} /usr/bin/env -i -C /opt/corral PATH=${path} sh -ec ${quote(text)}`,
    ),
    `mount -t proc none ${root}/proc`,
    `mount -t tmpfs -o uid=${imageUser},mode=770 none ${root}/data`,
    ...bind(root, { from: model, to: '/data/models/demo.gguf' }),
    `mount -o remount,bind,ro ${root}`,
    startLine(root, image, variables),
  ];
  const unshared = spawn('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', script.join('\n')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return rehearsal(unshared, { root, port, healthPort });
}

function environmentOf({ env }: Dockerfile): Record<string, string> {
  const own = Object.entries(env).map(([name, value]) => [name, value.replace(/\$\{\w+:\+.*$/, '')]);
  return {
    PATH: path,
    ...Object.fromEntries(own),
  };
}

function stepsOf({ stages }: Dockerfile): string[] {
  const texts = stages.flatMap(({ steps }) => steps.filter(({ keyword }) => keyword === 'RUN'));
  return texts.map(({ text }) => text).filter((text) => !networkSteps.test(text));
}

function bind(root: string, { from, to }: Mount): string[] {
  const target = join(root, to);
  const isFolder = statSync(from).isDirectory();
  const create = isFolder ? `mkdir -p ${target}` : `mkdir -p ${join(target, '..')} && touch ${target}`;
  return [`${create} && mount --rbind ${from} ${target}`];
}

function startLine(root: string, image: Dockerfile, env: Readonly<Record<string, string>>): string {
  const variables = Object.entries(env).map(([name, value]) => quote(`${name}=${value}`));
  const [user = '', group = ''] = image.last('USER')?.split(':') ?? [];
  const become = `setpriv --reuid ${user} --regid ${group} --clear-groups --no-new-privs --bounding-set -all`;
  const command = [...image.entrypoint, ...image.command].map(quote).join(' ');
  return `exec chroot ${root} /usr/bin/env -i -C ${image.last('WORKDIR')} ${variables.join(' ')} ${become} ${command}`;
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

interface RehearsalPlace {
  readonly root: string;
  readonly port: number;
  readonly healthPort: number;
}

function rehearsal(unshared: ChildProcess, { root, port, healthPort }: RehearsalPlace): Rehearsal {
  let output = '';
  for (const stream of [unshared.stdout, unshared.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const exitCode = async () => {
    if (unshared.exitCode === null && unshared.signalCode === null) await once(unshared, 'exit');
    return unshared.exitCode;
  };
  const firstProcess = () => (unshared.pid === undefined ? 0 : (childrenOf(unshared.pid)[0] ?? 0));
  return {
    port,
    healthPort,
    firstProcess,
    output: () => output,
    hasEnded: () => unshared.exitCode !== null,
    exitCode,
    async [Symbol.asyncDispose]() {
      const first = firstProcess();
      if (first > 0) killProcess(first, 'SIGKILL');
      await exitCode();
      await waitFor('the root folder to be removed', () => {
        execFileSync('rm', ['-rf', root], { stdio: 'ignore' });
        return true;
      });
    },
  };
}

/** The child processes of `pid`, including zombies. */
export function childrenOf(pid: number): number[] {
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.map(Number).filter((child) => statusOf(child, 'PPid') === String(pid));
}

/** A field of /proc/PID/status; undefined if there is no such process. */
export function statusOf(pid: number, field: string): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return new RegExp(`^${field}:\\s+(\\S+)`, 'm').exec(status)?.[1];
  } catch {
    return undefined;
  }
}
