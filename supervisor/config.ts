import { resolve } from 'node:path';
import { contextProblem } from '../models/context-size.ts';
import { splitWords } from '../models/extra-arguments.ts';
import type { MemoryBudget } from '../models/memory-budget.ts';
import type { Registry } from '../models/registry.ts';
import type { Settings } from '../settings/variables.ts';
import { resolveDataDir } from './data-dir.ts';
import type { EngineOptions } from './engine/llama-arguments.ts';
import { chooseModel, defaultModelName } from './engine/model.ts';
import { engineOptions } from './engine-options.ts';
import {
  findModelsFile,
  ignoredModelVariables,
  modelFileWarnings,
  modelsFolder,
  readModels,
} from './models-file.ts';
import { defaultHost, detectPlatform, type Platform, queueWorkerEnabled } from './platform/platform.ts';
import { defaultPolicy, type RestartPolicy } from './process/restart-policy.ts';

/** The configuration of the supervisor, in plain values. */
export interface SupervisorConfig {
  /** The settings as given, before defaults that depend on the machine or the model. */
  readonly givenSettings: Settings;
  /**
   * The same without settings that were added for the current model, such as the demo's: the base for a restart with another
   * model.
   */
  readonly givenModelIndependentSettings: Settings;
  /** Every setting as finally decided, for the gateway. */
  readonly settings: Settings;
  readonly platform: Platform;
  readonly host: string;
  readonly port: number;
  readonly healthPort: number;
  /** llama-server's loopback port; undefined for a unix socket. */
  readonly backendPort: number | undefined;
  /** An absolute path. */
  readonly dataDir: string;
  /** The only model; undefined with a registry. */
  readonly engine: EngineOptions | undefined;
  /** Several models; undefined with one. */
  readonly models: ConfiguredModels | undefined;
  /** The types of speculation that llama-server has; undefined if it was not asked. */
  readonly speculationTypes?: readonly string[] | undefined;
  /** The longest possible timer if it is turned off. */
  readonly loadTimeoutMs: number;
  /** 0 is never. */
  readonly hangTimeoutMs: number;
  readonly policy: RestartPolicy;
  readonly drainTimeoutMs: number;
  /** Take jobs from RunPod's queue. */
  readonly runsQueueWorker: boolean;
  /** The process exits after this time without requests; undefined or 0 is never. */
  readonly idleShutdownMs: number | undefined;
}

export interface ConfiguredModels {
  /** The path of `models.json`. */
  readonly file: string;
  /** Its content at the start. */
  readonly registry: Registry;
  /** For all models together; undefined as long as it has not been read, or if nothing is known of the machine. */
  readonly budget?: MemoryBudget | undefined;
}

/** The configuration of one engine. */
export interface EngineConfig extends SupervisorConfig {
  readonly engine: EngineOptions;
}

export interface Configuration {
  readonly config: SupervisorConfig | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The longest possible timer. */
const maxTimerMs = 2 ** 31 - 1;

/** Decides what the settings leave open. Searches the models in the file system, but starts nothing. */
export function configure(
  settings: Settings,
  env: Environment,
  invalid: readonly string[] = [],
): Configuration {
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  const modelsFile = findModelsFile(settings, dataDir);
  const extraArgs = splitWords(settings.EXTRA_ARGS ?? '');
  const problems = [...(extraArgs ? [] : ['EXTRA_ARGS: unterminated quote']), ...contextProblems(settings)];
  return modelsFile === undefined
    ? configureOne({ settings, env, dataDir, extraArgs, invalid, problems })
    : configureSeveral({ settings, env, dataDir, problems }, modelsFile);
}

interface Given {
  readonly settings: Settings;
  readonly env: Environment;
  readonly dataDir: string;
  readonly problems: readonly string[];
}

interface GivenOne extends Given {
  readonly extraArgs: readonly string[] | undefined;
  readonly invalid: readonly string[];
}

function configureOne({ extraArgs, invalid, ...given }: GivenOne): Configuration {
  const { model, warnings, ...choice } = chooseModel(given.settings, given.dataDir, invalid);
  const problems = [...choice.problems, ...given.problems];
  if (!model || !extraArgs) return { config: undefined, problems, warnings };
  const names = given.settings.MODEL_ALIAS?.length ? given.settings.MODEL_ALIAS : [defaultModelName(model)];
  const base = baseConfig(given, { MODEL_ALIAS: names });
  const config = { ...base.config, engine: engineOptions(base.config.settings, model, extraArgs) };
  return { config, problems, warnings: [...warnings, ...base.warnings] };
}

function configureSeveral(given: Given, file: string): Configuration {
  const read = readModels(file, given.settings, given.dataDir);
  const problems = [...read.problems, ...given.problems];
  const ignored = ignoredModelVariables(given.settings, file);
  if (!read.registry) return { config: undefined, problems, warnings: ignored };
  const names = read.registry.models.map(({ id }) => id);
  const base = baseConfig(given, { MODELS_FILE: file, MODEL_ALIAS: names });
  const config = { ...base.config, models: { file, registry: read.registry } };
  const warnings = [...ignored, ...modelFileWarnings(read.registry), ...base.warnings];
  return { config, problems, warnings };
}

function baseConfig({ settings, env, dataDir }: Given, decidedNames: Partial<Settings>) {
  const platform = detectPlatform(env);
  const jobs = queueWorkerEnabled(settings);
  const decided = {
    ...settings,
    ...decidedNames,
    HOST: settings.HOST ?? defaultHost(platform),
    DATA_DIR: dataDir,
    MODELS_DIR: modelsFolder(settings, dataDir),
  };
  const config: SupervisorConfig = {
    givenSettings: settings,
    givenModelIndependentSettings: settings,
    settings: decided,
    platform,
    host: decided.HOST,
    port: settings.PORT,
    healthPort: settings.PORT_HEALTH,
    backendPort: settings.PORT_BACKEND,
    dataDir,
    engine: undefined,
    models: undefined,
    loadTimeoutMs: settings.LOAD_TIMEOUT || maxTimerMs,
    hangTimeoutMs: settings.HANG_TIMEOUT,
    policy: restartPolicy(settings),
    drainTimeoutMs: settings.DRAIN_TIMEOUT,
    runsQueueWorker: jobs.isEnabled,
    idleShutdownMs: settings.IDLE_SHUTDOWN_SECONDS,
  };
  return { config, warnings: jobs.warnings };
}

function contextProblems({ CTX, PARALLEL }: Settings): string[] {
  const problem = contextProblem(CTX, PARALLEL);
  return problem === undefined ? [] : [`CTX: ${problem}; lower CTX or PARALLEL`];
}

function restartPolicy(settings: Settings): RestartPolicy {
  return {
    ...defaultPolicy,
    minDelayMs: settings.RESTART_DELAY_MIN,
    maxDelayMs: settings.RESTART_DELAY_MAX,
    maxCrashes: settings.RESTART_MAX_CRASHES,
    windowMs: settings.RESTART_WINDOW,
    maxLoadCrashes: settings.RESTART_MAX_LOAD_CRASHES,
  };
}
