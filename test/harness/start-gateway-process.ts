import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Backend, formatBackendUrl } from '../../health/backend.ts';
import { type Command, defaultGatewayCommand } from '../../supervisor/spawn-gateway.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

const corralGateway: Command = {
  command: process.execPath,
  args: [join(import.meta.dirname, '../../cli/corral.ts'), 'gateway'],
};

/** `corral gateway` as a process. */
export interface GatewayProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly origin: string;
  /** Kills it and waits for its end. */
  kill(): Promise<void>;
}

interface GatewayProcessOptions {
  /** The size that no file of the process may exceed. */
  readonly maxFileBytes?: number;
  /** Runs it as the supervisor does, whose options for Node decide how much memory it takes. */
  readonly asChild?: boolean;
}

export async function startGatewayProcess(
  backend: Backend,
  env: Readonly<Record<string, string>>,
  { maxFileBytes, asChild = false }: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  const port = await freePort();
  const { command: node, args } = asChild ? defaultGatewayCommand : corralGateway;
  // A shell counts in blocks of 512 bytes.
  const limit = maxFileBytes === undefined ? '' : `ulimit -f ${maxFileBytes / 512}; `;
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, node, ...args], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: join(import.meta.dirname, '../../.cache/node'),
      HOST: '127.0.0.1',
      PORT: String(port),
      BACKEND_URL: formatBackendUrl(backend.address),
      ...(backend.apiKey && { BACKEND_API_KEY: backend.apiKey }),
      ...env,
    },
    stdio: 'ignore',
  });
  const origin = `http://127.0.0.1:${port}`;
  const ended = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  await waitFor('the gateway to be ready', async () => (await fetch(`${origin}/readyz`)).ok);
  return { process: child, origin, kill, [Symbol.asyncDispose]: kill };
}
