import type { Backend } from '../../health/backend.ts';
import type { Log } from '../../log/create-log.ts';
import { availableMemory } from '../../models/available-memory.ts';
import { modelFileBytes } from '../../models/gguf-file.ts';
import type { Settings } from '../../settings/variables.ts';
import { type Child, failedToStart, spawnChild } from '../process/child.ts';
import {
  createSecretRedactor,
  environmentSecrets,
  keyFileSecrets,
  settingSecrets,
} from '../process/redact-secrets.ts';
import { prepareSocketPath } from '../process/runtime-dir.ts';
import { parseEngineLine } from './engine-log.ts';
import type { InstalledEngine } from './installed-engine.ts';
import { type EngineOptions, llamaArguments } from './llama-arguments.ts';
import { isStateReport, parseLoadProgress, reportingEnvironment } from './load-progress.ts';
import type { LoadedTogether } from './loaded-together.ts';
import { promptCacheMiB } from './prompt-cache.ts';
import { createPromptRedactor } from './redact-prompts.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface SpawnEngineOptions {
  readonly engine: InstalledEngine;
  readonly config: {
    readonly engine: EngineOptions;
    readonly speculationTypes?: readonly string[] | undefined;
    readonly settings: Settings;
    readonly dataDir: string;
  };
  readonly backend: Backend & { readonly apiKey: string };
  readonly env: Environment;
  /** With several models: what can be loaded at the same time. */
  readonly loadedTogether?: LoadedTogether | undefined;
  /** Whether requests may run in it. */
  readonly isServing: () => boolean;
  /** Receives how much of the model is loaded, 0 to 1, if this build reports it; without it, it is not asked to. */
  readonly onLoadProgress?: ((loaded: number) => void) | undefined;
  readonly log: Log;
}

/** Starts a llama-server on the address of the backend. Its output goes to the log. */
export function spawnEngine(options: SpawnEngineOptions): Child {
  const { engine, config, backend, env, isServing, onLoadProgress, log } = options;
  const { socketPath } = backend.address;
  try {
    // llama-server does not start on a socket left by a killed one, and does not remove it.
    if (socketPath !== undefined) prepareSocketPath(socketPath);
  } catch (error) {
    return failedToStart(error as Error);
  }
  const removePrompts = createPromptRedactor(isServing);
  const downloads = config.engine.model.kind !== 'file';
  return spawnChild({
    command: engine.command,
    args: [...engine.args, ...llamaArguments(optionsOf(config), backend.address, promptCacheLimit(options))],
    env: {
      ...(downloads && config.settings.MODELS_DIR && { LLAMA_CACHE: config.settings.MODELS_DIR }),
      ...engineEnvironment(env, {
        apiKey: backend.apiKey,
        hfToken: downloads ? config.settings.HF_TOKEN : undefined,
      }),
      ...(config.engine.devices && {
        CUDA_VISIBLE_DEVICES: visibleDevices(config.engine.devices, env.CUDA_VISIBLE_DEVICES),
      }),
      ...(onLoadProgress && reportingEnvironment),
    },
    holdStdinOpen: onLoadProgress !== undefined,
    filter(line) {
      if (!isStateReport(line)) return removePrompts(line);
      const loaded = parseLoadProgress(line);
      if (loaded !== undefined) onLoadProgress?.(loaded);
      return undefined;
    },
    redact: createSecretRedactor(
      [backend.apiKey, ...settingSecrets(config.settings), ...environmentSecrets(env)],
      keyFileSecrets({ ...config.settings, dataDir: config.dataDir }),
    ),
    onLine(line) {
      const { text, level } = parseEngineLine(line);
      log[level](text);
    },
  });
}

const optionsOf = ({ engine, speculationTypes }: SpawnEngineOptions['config']): EngineOptions => ({
  ...engine,
  speculationTypes,
});

function promptCacheLimit({ config, loadedTogether, log }: SpawnEngineOptions): number | undefined {
  const { model, extraArgs, adapters = [] } = config.engine;
  if (adapters.length > 0) return undefined;
  const { engines = 1, machineBytes = 0 } = loadedTogether ?? {};
  const fileBytes = model.kind === 'hugging-face' ? 0 : modelFileBytes(model.path);
  const limitMiB = promptCacheMiB({
    ...{ extraArgs, engines, availableMemory: availableMemory() },
    modelBytes: Math.max(fileBytes, machineBytes),
  });
  if (limitMiB !== undefined)
    log.info(`prompt cache limited to ${limitMiB} MiB by the available memory (--cache-ram)`);
  return limitMiB;
}

/**
 * What llama-server may see of our environment. An allow-list, because each of its options has a variable
 * (`LLAMA_ARG_…`, `AIP_…`) that would reconfigure it silently, and because it must not see the platforms' tokens.
 */
const passedVariables = new Set(
  ['PATH HOME USER TMPDIR TZ LANG LC_ALL LC_CTYPE LD_LIBRARY_PATH DYLD_LIBRARY_PATH LLAMA_CACHE']
    .concat('HF_HOME HF_HUB_CACHE HF_ENDPOINT MODEL_ENDPOINT XDG_CACHE_HOME SSL_CERT_FILE SSL_CERT_DIR')
    .concat('HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy')
    .flatMap((names) => names.split(' ')),
);
const passedPrefixes = /^(CUDA|NVIDIA|GGML|OMP|KMP|GOMP|HIP|ROCR|HSA|VK)_/;

/** The devices of an engine, counted among those that we may use ourselves: `2,3` or names such as `GPU-8932f937`. */
export function visibleDevices(devices: readonly number[], ours: string | undefined): string {
  const names = ours?.split(',').map((name) => name.trim());
  return devices.map((device) => names?.[device] ?? device).join(',');
}

interface EngineSecrets {
  readonly apiKey: string;
  /** Only if llama-server downloads a model itself. */
  readonly hfToken: string | undefined;
}

/** The environment of llama-server: an allow-list, so that `LLAMA_ARG_…` of the machine has no effect. */
export function engineEnvironment(
  env: Environment,
  { apiKey, hfToken }: EngineSecrets,
): Record<string, string> {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (passedVariables.has(entry[0]) || passedPrefixes.test(entry[0])),
  );
  return {
    ...Object.fromEntries(passed),
    ...(hfToken !== undefined && { HF_TOKEN: hfToken }),
    LLAMA_API_KEY: apiKey,
  };
}
