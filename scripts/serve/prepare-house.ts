import type { HealthServer } from '../../health/health-server.ts';
import type { Log } from '../../log/create-log.ts';
import { logFilesIn } from '../../log/log-files-config.ts';
import { openLogs } from '../../log/open-logs.ts';
import type { Reading } from '../../settings/read-settings.ts';
import type { Settings } from '../../settings/variables.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import type { Engine } from '../../supervisor/engine.ts';
import type { ExitCode } from '../../supervisor/exit-codes.ts';
import { detectPlatform } from '../../supervisor/platform.ts';
import { preflight } from '../../supervisor/preflight.ts';
import { supervise } from '../../supervisor/supervise.ts';
import { tellWorker, workerLines } from '../../supervisor/worker-lines.ts';
import { findEngine, obtainEngine } from '../engine/find-engine.ts';
import { cacheFolder } from '../house-folders.ts';
import { demoModelName, provideDemoModel } from './demo-model-file.ts';
import { provideFirstKey } from './first-key.ts';
import { namesNoModel } from './names-no-model.ts';
import { welcome } from './welcome.ts';

export interface Circumstances {
  readonly demo: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly healthPortIsOurs: boolean;
}

export type Prepared =
  | { readonly ok: true; run(health: HealthServer | undefined): Promise<ExitCode> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Gathers engine, model and keys, checks all of it, and hands back a house that is ready to run. */
export async function houseFrom(
  reading: Reading,
  { demo, env, healthPortIsOurs }: Circumstances,
): Promise<Prepared> {
  const { LOG_FORMAT: format, LOG_LEVEL: level } = reading.settings;
  const dataDir = resolveDataDir(reading.settings.DATA_DIR);
  const logs = await openLogs({ format, level, files: logFilesIn(dataDir, reading.settings) });
  const log = logs.of('supervisor');
  for (const warning of reading.warnings) log.warn(warning);
  const settings = demo ? await withModel(reading.settings, log) : reading.settings;
  const { engine, engineProblem } = await lookForEngine(settings, { demo, env, log });
  const checked = await preflight({
    settings,
    engine,
    engineProblem,
    env,
    earlierProblems: reading.problems.map(({ message }) => message),
    healthPortIsOurs,
  });
  for (const warning of checked.warnings) log.warn(warning);
  if (!checked.ok || !engine) {
    const problems = checked.ok ? [] : checked.problems;
    tellWorker(
      detectPlatform(env),
      logs.sayPlainly,
      `${workerLines.failed} ${problems.length} things to mend`,
    );
    await logs.close();
    return { ok: false, problems };
  }
  const config = { ...checked.config, givenForAnyModel: reading.settings };
  const firstKey = demo ? await provideFirstKey(config) : undefined;
  return {
    ok: true,
    async run(health) {
      const code = await supervise({
        config,
        engine,
        log,
        logs,
        env,
        health,
        onReady: () => {
          if (demo)
            process.stdout.write(welcome({ config, firstKey, isDemoModel: namesNoModel(reading.settings) }));
        },
      });
      await logs.close();
      return code;
    },
  };
}

async function withModel(settings: Settings, log: Log): Promise<Settings> {
  if (!namesNoModel(settings)) return settings;
  log.info('no model is named: the demo model is served');
  const MODEL_PATH = await provideDemoModel(cacheFolder);
  // Its tokens are so cheap that a second thread would spend its time waiting for the first.
  const THREADS = settings.THREADS || 1;
  return { ...settings, THREADS, MODEL_PATH, MODEL_ALIAS: settings.MODEL_ALIAS ?? [demoModelName] };
}

interface Search {
  readonly demo: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

async function lookForEngine(
  { LLAMA_SERVER_BIN: configured }: Settings,
  { demo, env, log }: Search,
): Promise<{ engine?: Engine | undefined; engineProblem?: string }> {
  const wanted = { configured, searchPath: env.PATH, cache: cacheFolder };
  try {
    const engine = demo
      ? await obtainEngine(wanted, (progress) => log.info(progress))
      : await findEngine(wanted);
    if (engine) log.info({ origin: engine.origin }, `llama-server: ${engine.command}`);
    return { engine };
  } catch (error) {
    return { engineProblem: (error as Error).message };
  }
}
