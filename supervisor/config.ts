import { join, resolve } from 'node:path';
import { contextProblem } from '../models/context-size.ts';
import { splitWords } from '../models/extra-arguments.ts';
import type { ModelSource } from '../models/registry.ts';
import type { Settings } from '../settings/variables.ts';
import { resolveDataDir } from './data-dir.ts';
import type { EngineOptions } from './engine/llama-arguments.ts';
import { chooseModel, defaultModelName } from './engine/model.ts';
import { defaultHost, detectPlatform, type Platform, queueWorkerEnabled } from './platform/platform.ts';
import { defaultPolicy, type RestartPolicy } from './process/restart-policy.ts';

/** The configuration of the supervisor, in plain values. */
export interface SupervisorConfig {
  /** The settings as given, before defaults that depend on the machine or the model. */
  readonly givenSettings: Settings;
  /** The same without settings that were added for the current model, such as the demo's: the base for a restart with another model. */
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
  readonly engine: EngineOptions;
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

export interface Configuration {
  readonly config: SupervisorConfig | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The longest possible timer. */
const maxTimerMs = 2 ** 31 - 1;

/** Decides what the settings leave open. Searches the model in the file system, but starts nothing. */
export function configure(settings: Settings, env: Environment): Configuration {
  const platform = detectPlatform(env);
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  const choice = chooseModel(settings, dataDir);
  const extraArgs = splitWords(settings.EXTRA_ARGS ?? '');
  const problems = [...choice.problems];
  if (!extraArgs) problems.push('EXTRA_ARGS: unterminated quote');
  problems.push(...contextProblems(settings));
  if (!choice.model || !extraArgs) return { config: undefined, problems, warnings: choice.warnings };
  const jobs = queueWorkerEnabled(settings);
  const decided = decide(settings, { platform, dataDir, model: choice.model });
  const config = {
    givenSettings: settings,
    givenModelIndependentSettings: settings,
    settings: decided,
    platform,
    host: decided.HOST ?? defaultHost(platform),
    port: settings.PORT,
    healthPort: settings.PORT_HEALTH,
    backendPort: settings.PORT_BACKEND,
    dataDir,
    engine: engineOptions(decided, choice.model, extraArgs),
    loadTimeoutMs: settings.LOAD_TIMEOUT || maxTimerMs,
    hangTimeoutMs: settings.HANG_TIMEOUT,
    policy: restartPolicy(settings),
    drainTimeoutMs: settings.DRAIN_TIMEOUT,
    runsQueueWorker: jobs.isEnabled,
    idleShutdownMs: settings.IDLE_SHUTDOWN_SECONDS,
  };
  return { config, problems, warnings: [...choice.warnings, ...jobs.warnings] };
}

function contextProblems({ CTX, PARALLEL }: Settings): string[] {
  const problem = contextProblem(CTX, PARALLEL);
  return problem === undefined ? [] : [`CTX: ${problem}; lower CTX or PARALLEL`];
}

interface Decisions {
  readonly platform: Platform;
  readonly dataDir: string;
  readonly model: ModelSource;
}

function decide(settings: Settings, { platform, dataDir, model }: Decisions): Settings {
  return {
    ...settings,
    HOST: settings.HOST ?? defaultHost(platform),
    DATA_DIR: dataDir,
    MODELS_DIR: resolve(settings.MODELS_DIR ?? join(dataDir, 'models')),
    MODEL_ALIAS: settings.MODEL_ALIAS?.length ? settings.MODEL_ALIAS : [defaultModelName(model)],
  };
}

function engineOptions(settings: Settings, model: ModelSource, extraArgs: readonly string[]): EngineOptions {
  return {
    model,
    publicName: settings.MODEL_ALIAS?.[0] ?? defaultModelName(model),
    ctx: settings.CTX,
    parallel: settings.PARALLEL,
    ngl: settings.NGL,
    threads: settings.THREADS,
    flashAttn: settings.FLASH_ATTN,
    cacheTypeK: settings.CACHE_TYPE_K,
    cacheTypeV: settings.CACHE_TYPE_V,
    mmproj: absolute(settings.MMPROJ),
    draftModel: absolute(settings.DRAFT_MODEL),
    keepaliveMs: settings.STREAM_KEEPALIVE,
    sleepIdleMs: settings.SLEEP_IDLE_SECONDS,
    extraArgs,
  };
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

const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
