import type { HealthServer } from '../../health/health-server.ts';
import type { Log } from '../../log/create-log.ts';
import { createLogs, logFilesConfig } from '../../log/create-logs.ts';
import { findEngine, findOrFetchEngine } from '../../scripts/engine/find-engine.ts';
import { cacheFolder } from '../../scripts/project-folders.ts';
import type { SettingsResult } from '../../settings/read-settings.ts';
import type { Settings } from '../../settings/variables.ts';
import type { SupervisorConfig } from '../../supervisor/config.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import type { ExitCode } from '../../supervisor/exit-codes.ts';
import { detectPlatform, vastLogLines, writeVastLine } from '../../supervisor/platform/platform.ts';
import { preflight } from '../../supervisor/preflight.ts';
import { supervise } from '../../supervisor/supervise.ts';
import { demoModelName, ensureDemoModel, modelVariables, noModelConfigured } from './demo-model.ts';
import { createFirstKey, welcomeText } from './welcome.ts';

export interface PrepareOptions {
  readonly demo: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly healthPortIsOurs: boolean;
}

export type PreparedDeployment =
  | { readonly ok: true; run(health: HealthServer | undefined): Promise<ExitCode> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Finds engine, model and keys, checks everything, and returns a deployment that is ready to run. */
export async function prepareDeployment(
  reading: SettingsResult,
  { demo, env, healthPortIsOurs }: PrepareOptions,
): Promise<PreparedDeployment> {
  const { LOG_FORMAT: format, LOG_LEVEL: level } = reading.settings;
  const dataDir = resolveDataDir(reading.settings.DATA_DIR);
  const logs = await createLogs({ format, level, files: logFilesConfig(dataDir, reading.settings) });
  const log = logs.getLog('supervisor');
  for (const warning of reading.warnings) log.warn(warning);
  const fail = async (problems: readonly string[]) => {
    const line = `${vastLogLines.failed} ${problems.length === 1 ? '1 problem' : `${problems.length} problems`} to fix`;
    writeVastLine(detectPlatform(env), logs.writeRaw, line);
    await logs.close();
    return { ok: false, problems } as const;
  };
  const given = { settings: reading.settings, problems: [] };
  const { settings, problems: modelProblems } = demo ? await withModel(reading, log) : given;
  const { engine, engineProblem } = await locateEngine(settings, { demo, env, log });
  const earlierProblems = [...reading.problems.map(({ message }) => message), ...modelProblems];
  const checked = await preflight({
    ...{
      settings,
      engine,
      engineProblem,
      env,
      settingsProblems: earlierProblems,
      invalidVariables: reading.problems.map(({ variable }) => variable),
      ownsHealthPort: healthPortIsOurs,
      createsFirstKey: demo,
    },
  });
  for (const warning of checked.warnings) log.warn(warning);
  if (!checked.ok || !engine) return fail(checked.ok ? [] : checked.problems);
  const config = { ...checked.config, givenModelIndependentSettings: reading.settings };
  // Never log this: logs may be stored. With a machine-readable log format, keep it off stdout as well.
  const show = (text: string) => {
    logs.flush();
    (format === 'text' ? process.stdout : process.stderr).write(text);
  };
  const { firstKey, keyProblem } = demo ? await firstKeyFor(config, show) : {};
  if (keyProblem !== undefined) return fail([keyProblem]);
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
          if (demo) show(welcomeText({ config, firstKey, isDemoModel: noModelConfigured(reading.settings) }));
        },
      });
      await logs.close();
      return code;
    },
  };
}

async function firstKeyFor(config: SupervisorConfig, show: (text: string) => void) {
  try {
    return { firstKey: await createFirstKey(config, show) };
  } catch (error) {
    if ((error as Error).name !== 'KeyFileError') throw error;
    return { keyProblem: `the first API key could not be saved: ${(error as Error).message}` };
  }
}

interface WithModel {
  readonly settings: Settings;
  readonly problems: readonly string[];
}

async function withModel({ settings, problems }: SettingsResult, log: Log): Promise<WithModel> {
  if (!noModelConfigured(settings)) return { settings, problems: [] };
  if (!problems.some(({ variable }) => modelVariables.includes(variable)))
    log.info('no model configured: serving the demo model');
  let MODEL_PATH: string;
  try {
    MODEL_PATH = await ensureDemoModel(cacheFolder);
  } catch (error) {
    const why = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    return { settings, problems: [`the demo model cannot be written to ${cacheFolder}: ${why}`] };
  }
  // Its tokens are so cheap that a second thread would only wait for the first.
  const THREADS = settings.THREADS || 1;
  return {
    settings: { ...settings, THREADS, MODEL_PATH, MODEL_ALIAS: settings.MODEL_ALIAS ?? [demoModelName] },
    problems: [],
  };
}

interface Search {
  readonly demo: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

async function locateEngine(
  { LLAMA_SERVER_BIN: configured }: Settings,
  { demo, env, log }: Search,
): Promise<{ engine?: InstalledEngine | undefined; engineProblem?: string }> {
  const wanted = { configured, searchPath: env.PATH, cache: cacheFolder };
  try {
    const engine = demo
      ? await findOrFetchEngine(wanted, (progress) => log.info(progress))
      : await findEngine(wanted);
    if (engine) log.info({ origin: engine.origin }, `llama-server: ${engine.command}`);
    return { engine };
  } catch (error) {
    return { engineProblem: (error as Error).message };
  }
}
