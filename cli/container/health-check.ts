/**
 * The HEALTHCHECK of the images: exit status 0 where the health server answers a probe with 2xx. The probe is `/livez`
 * unless another is named, such as `/readyz`.
 */
import { request } from 'node:http';
import { readSettings } from '../../settings/read-settings.ts';

const patienceMs = 4000;

export async function isWell(env: NodeJS.ProcessEnv, path = '/livez'): Promise<boolean> {
  const { HOST: host = '0.0.0.0', PORT_HEALTH: port } = readSettings(env).settings;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const asked = request({ host: reachable(host), port, path, timeout: patienceMs }, (response) => {
    response.resume();
    const { statusCode = 500 } = response;
    resolve(statusCode >= 200 && statusCode < 300);
  });
  asked.on('timeout', () => asked.destroy());
  asked.on('error', () => resolve(false));
  asked.end();
  return await promise;
}

/** An address to listen on that means all of them is none to call. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

if (import.meta.main) process.exitCode = (await isWell(process.env, process.argv[2])) ? 0 : 1;
