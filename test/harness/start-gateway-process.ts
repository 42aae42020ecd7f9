import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Backend, formatBackendUrl } from '../../health/backend.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

/** `corral gateway` as a process. */
export interface GatewayProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly origin: string;
  /** Kills it and waits for its end. */
  kill(): Promise<void>;
}

export async function startGatewayProcess(
  backend: Backend,
  env: Readonly<Record<string, string>>,
): Promise<GatewayProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../cli/corral.ts'), 'gateway'], {
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
