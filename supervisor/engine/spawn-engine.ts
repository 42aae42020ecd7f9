import type { Backend } from '../../health/backend.ts';
import type { Log } from '../../log/create-log.ts';
import type { SupervisorConfig } from '../config.ts';
import { type Child, failedToStart, startChild } from '../process/child.ts';
import { environmentSecrets, keyFileSecrets, settingSecrets } from '../process/known-secrets.ts';
import { createSecretRedactor } from '../process/redact-secrets.ts';
import { prepareSocketPath } from '../process/runtime-dir.ts';
import { availableMemory } from './available-memory.ts';
import { engineEnvironment } from './engine-environment.ts';
import { parseEngineLine } from './engine-log.ts';
import { modelFileBytes } from './gguf-file.ts';
import type { Engine } from './installed-engine.ts';
import { llamaArguments } from './llama-arguments.ts';
import { promptCacheMiB } from './prompt-cache.ts';
import { createPromptRedactor } from './redact-prompts.ts';

export interface SpawnEngineOptions {
  readonly engine: Engine;
  readonly config: SupervisorConfig;
  readonly backend: Backend & { readonly apiKey: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether requests may be at work in it. */
  readonly serves: () => boolean;
  readonly log: Log;
}

/** Starts one llama-server on the backend's address, its output going into the log. */
export function spawnEngine({ engine, config, backend, env, serves, log }: SpawnEngineOptions): Child {
  const { socketPath } = backend.address;
  try {
    // llama-server refuses an address that a killed one has left, and does not clear it away itself.
    if (socketPath !== undefined) prepareSocketPath(socketPath);
  } catch (error) {
    return failedToStart(error as Error);
  }
  const { model, extraArgs } = config.engine;
  const downloads = model.kind !== 'file';
  const cacheMiB = promptCacheMiB({
    extraArgs,
    spareMemory: availableMemory(),
    modelBytes: model.kind === 'hugging-face' ? 0 : modelFileBytes(model.path),
  });
  if (cacheMiB !== undefined)
    log.info(
      `llama-server may keep ${cacheMiB} MiB of earlier prompts (--cache-ram), by the memory there is`,
    );
  return startChild({
    command: engine.command,
    args: [...engine.args, ...llamaArguments(config.engine, backend.address, cacheMiB)],
    env: {
      ...(downloads && config.settings.MODELS_DIR && { LLAMA_CACHE: config.settings.MODELS_DIR }),
      ...engineEnvironment(env, {
        apiKey: backend.apiKey,
        hfToken: downloads ? config.settings.HF_TOKEN : undefined,
      }),
    },
    cut: createPromptRedactor(serves),
    show: createSecretRedactor(
      [backend.apiKey, ...settingSecrets(config.settings), ...environmentSecrets(env)],
      keyFileSecrets({ ...config.settings, dataDir: config.dataDir }),
    ),
    onLine(line) {
      const { text, level } = parseEngineLine(line);
      log[level](text);
    },
  });
}
