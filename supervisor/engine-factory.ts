import { randomBytes } from 'node:crypto';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import type { Boot } from './boot.ts';
import { startBoot } from './boot.ts';
import type { EngineConfig } from './config.ts';
import { type CrashClass, isFatal, isOutOfMemory } from './engine/crash-class.ts';
import { identifyEngine } from './engine/engine-identity.ts';
import type { InstalledEngine } from './engine/installed-engine.ts';
import type { LoadedTogether } from './engine/loaded-together.ts';
import { spawnEngine } from './engine/spawn-engine.ts';
import { readSpeculationTypesSync } from './engine/speculation-types.ts';
import { Engine, type EngineOwner } from './engine.ts';
import type { SupervisorEvents } from './events.ts';
import { planRestart, type RestartPlan } from './plan-restart.ts';
import type { Child } from './process/child.ts';
import type { RuntimeDir } from './process/runtime-dir.ts';

export interface EngineFactoryOptions {
  readonly program: InstalledEngine;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly logs: Logs;
  readonly runtimeDir: RuntimeDir;
  readonly events: SupervisorEvents;
  readonly owner: EngineOwner;
  /** With several models: what can be loaded at the same time, now. */
  readonly loadedTogether: () => LoadedTogether | undefined;
  /** Called for each llama-server that was started. */
  readonly onSpawned: (child: Child) => Child;
}

/** Creates engines. Each has an address and a key of its own. */
export class EngineFactory {
  readonly #options: EngineFactoryOptions;
  /** By engine id: an engine that is removed and comes back has the key that it had. */
  readonly #keys = new Map<string, string>();

  constructor(options: EngineFactoryOptions) {
    this.#options = options;
  }

  /** The engine of the only model. */
  createOnly(config: EngineConfig, boot: Boot): Engine {
    const { program, env, log, logs, runtimeDir, events, owner, onSpawned } = this.#options;
    const { backendPort, engine } = config;
    const address =
      backendPort === undefined
        ? { origin, socketPath: runtimeDir.socketPath }
        : { origin: `http://127.0.0.1:${backendPort}`, socketPath: undefined };
    const output = logs.getLog('llama-server');
    return new Engine({
      ...{ id: engine.publicName, model: engine.publicName, config, log, isFatal, owner },
      backend: { address, apiKey: createSecret() },
      events: events.forEngine(),
      identify: ({ engine: options }) => identifyEngine(program, options),
      startBoot: () => boot,
      spawn: ({ onLoadProgress: _, ...request }) =>
        onSpawned(spawnEngine({ ...request, engine: program, env, log: output })),
      plan: (current, changes) =>
        logWarnings(
          planRestart(current, changes, env, () => readSpeculationTypesSync(program)),
          log,
        ),
    });
  }

  /** An engine of one of several models. */
  create(id: string, model: string, config: EngineConfig): Engine {
    const { program, env, logs, runtimeDir, events, owner, loadedTogether, onSpawned } = this.#options;
    const output = logs.getLog('llama-server').child({ engine: id });
    const apiKey = this.#keys.get(id) ?? createSecret();
    this.#keys.set(id, apiKey);
    const address = { origin, socketPath: runtimeDir.socketPathFor(id) };
    return new Engine({
      ...{ id, model, config, owner, startBoot, backend: { address, apiKey } },
      log: this.#options.log.child({ engine: id }),
      events: events.forEngine(id),
      identify: ({ engine: options }) => identifyEngine(program, options),
      spawn: (request) =>
        onSpawned(
          spawnEngine({
            ...{ ...request, engine: program, env, log: output },
            loadedTogether: loadedTogether(),
          }),
        ),
      plan: (current) => ({ ok: true, config: current, warnings: [] }),
      isFatal: endsLoad,
    });
  }
}

const origin = 'http://llama-server';

/** Without more memory, another attempt fails the same way; the deployment decides whether it can make room. */
const endsLoad = (crash: CrashClass) => isFatal(crash) || isOutOfMemory(crash);

function logWarnings(plan: RestartPlan, log: Log): RestartPlan {
  if (plan.ok) for (const warning of plan.warnings) log.warn(warning);
  return plan;
}

/** A secret between processes: generated at each start, never passed in arguments, and stored nowhere. */
export function createSecret(): string {
  return randomBytes(32).toString('base64url');
}
