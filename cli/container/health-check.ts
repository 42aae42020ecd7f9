/**
 * The HEALTHCHECK of the images: exit status 0 if the health server responds with 2xx to a probe. The probe is
 * `/livez` by default; another one, such as `/readyz`, can be given.
 */
import { request } from 'node:http';
import { readSettings } from '../../settings/read-settings.ts';

const TIMEOUT_MS = 4000;

export async function isHealthy(env: NodeJS.ProcessEnv, path = '/livez'): Promise<boolean> {
  const { HOST: host = '0.0.0.0', PORT_HEALTH: port } = readSettings(env).settings;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = request({ host: connectableAddress(host), port, path, timeout: TIMEOUT_MS }, (response) => {
    response.resume();
    const { statusCode = 500 } = response;
    resolve(statusCode >= 200 && statusCode < 300);
  });
  probe.on('timeout', () => probe.destroy());
  probe.on('error', () => resolve(false));
  probe.end();
  return await promise;
}

/** 0.0.0.0 and :: are addresses to listen on, not to connect to. */
function connectableAddress(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

if (import.meta.main) process.exitCode = (await isHealthy(process.env, process.argv[2])) ? 0 : 1;
