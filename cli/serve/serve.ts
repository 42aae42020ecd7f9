import { maxProbeConnections } from '../../fs/open-file-limit.ts';
import { type HealthServer, startHealthServer } from '../../health/health-server.ts';
import { readSettings, type SettingsResult } from '../../settings/read-settings.ts';
import { type ExitCode, exitCodes } from '../../supervisor/exit-codes.ts';
import { defaultHost, detectPlatform } from '../../supervisor/platform/platform.ts';
import { printProblems } from '../output.ts';

export interface ServeOptions {
  /** Provide what is missing: an engine, a model, a first key. */
  readonly demo: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs everything until it ends and returns the exit code. The health server starts first, even before the other code
 * is loaded, because platforms measure from its first response.
 */
export async function serve({ demo, env }: ServeOptions): Promise<ExitCode> {
  const given = readSettings(env);
  const health = await listenEarly(given, env);
  try {
    const { prepareDeployment } = await import('./prepare-deployment.ts');
    const reading = await withPorts(given, health, env);
    const prepared = await prepareDeployment(reading, { demo, env, healthPortIsOurs: health !== undefined });
    if (prepared.ok) return await prepared.run(health);
    printProblems(prepared.problems);
    return exitCodes.configuration;
  } finally {
    // Also after an exception: a process that only answers probes would cost money for nothing.
    await health?.close();
  }
}

/** Picks free ports now for ports set to 0, because gateway and supervisor use each other's. */
async function withPorts(
  reading: SettingsResult,
  health: HealthServer | undefined,
  env: NodeJS.ProcessEnv,
): Promise<SettingsResult> {
  const { HOST, PORT, PORT_HEALTH } = reading.settings;
  if (PORT !== 0 && PORT_HEALTH !== 0) return reading;
  const { freePort } = await import('../../supervisor/port-problems.ts');
  const settings = {
    ...reading.settings,
    PORT: PORT || (await freePort(HOST ?? defaultHost(detectPlatform(env)))),
    PORT_HEALTH: health?.port ?? PORT_HEALTH,
  };
  return { ...reading, settings };
}

/** Undefined if the port is not available. Preflight reports that together with all other problems. */
async function listenEarly(
  { settings }: SettingsResult,
  env: NodeJS.ProcessEnv,
): Promise<HealthServer | undefined> {
  try {
    return await startHealthServer({
      // A burst of probes is accepted as far as file handles allow.
      maxConnections: maxProbeConnections(),
      host: settings.HOST ?? defaultHost(detectPlatform(env)),
      port: settings.PORT_HEALTH,
      healthCheckPath: settings.HEALTH_CHECK_PATH,
      pingAlwaysOk: settings.PING_ALWAYS_OK,
    });
  } catch {
    return undefined;
  }
}
