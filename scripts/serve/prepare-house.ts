import type { HealthServer } from '../../health/health-server.ts';
import type { Log } from '../../log/create-log.ts';
import { logFilesIn } from '../../log/log-files-config.ts';
import { openLogs } from '../../log/open-logs.ts';
import type { Reading } from '../../settings/read-settings.ts';
import type { Settings } from '../../settings/variables.ts';
import type { SupervisorConfig } from '../../supervisor/config.ts';
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
import { namesNoModel, namesOfModels } from './names-no-model.ts';
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
  const refused = async (problems: readonly string[]) => {
    const words = `${workerLines.failed} ${problems.length === 1 ? '1 problem' : `${problems.length} problems`} to fix`;
    tellWorker(detectPlatform(env), logs.sayPlainly, words);
    await logs.close();
    return { ok: false, problems } as const;
  };
  const given = { settings: reading.settings, problems: [] };
  const { settings, problems: modelProblems } = demo ? await withModel(reading, log) : given;
  const { engine, engineProblem } = await lookForEngine(settings, { demo, env, log });
  const earlierProblems = [...reading.problems.map(({ message }) => message), ...modelProblems];
  const checked = await preflight({
    ...{ settings, engine, engineProblem, env, earlierProblems, healthPortIsOurs, firstKeyIsMade: demo },
  });
  for (const warning of checked.warnings) log.warn(warning);
  if (!checked.ok || !engine) return refused(checked.ok ? [] : checked.problems);
  const config = { ...checked.config, givenForAnyModel: reading.settings };
  // Never through the log, which may be kept; where its format is for machines, not even beside it.
  const show = (text: string) => void (format === 'text' ? process.stdout : process.stderr).write(text);
  const { firstKey, keyProblem } = demo ? await firstKeyFor(config, show) : {};
  if (keyProblem !== undefined) return refused([keyProblem]);
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
          if (demo) show(welcome({ config, firstKey, isDemoModel: namesNoModel(reading.settings) }));
        },
      });
      await logs.close();
      return code;
    },
  };
}

async function firstKeyFor(config: SupervisorConfig, show: (text: string) => void) {
  try {
    return { firstKey: await provideFirstKey(config, show) };
  } catch (error) {
    if ((error as Error).name !== 'KeyFileError') throw error;
    return { keyProblem: `the first key could not be kept, and does not work: ${(error as Error).message}` };
  }
}

interface WithModel {
  readonly settings: Settings;
  readonly problems: readonly string[];
}

async function withModel({ settings, problems }: Reading, log: Log): Promise<WithModel> {
  if (!namesNoModel(settings)) return { settings, problems: [] };
  if (!problems.some(({ variable }) => namesOfModels.includes(variable)))
    log.info('no model is named: the demo model is served');
  let MODEL_PATH: string;
  try {
    MODEL_PATH = await provideDemoModel(cacheFolder);
  } catch (error) {
    const why = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    return { settings, problems: [`the demo model cannot be kept in ${cacheFolder}: ${why}`] };
  }
  // Its tokens are so cheap that a second thread would spend its time waiting for the first.
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
