import type { SettingChanges } from '../health/supervisor-messages.ts';
import { findStartOnlyArguments, splitWords } from '../models/extra-arguments.ts';
import { readSettings } from '../settings/read-settings.ts';
import type { Settings, VariableName } from '../settings/variables.ts';
import { configure, type EngineConfig, type SupervisorConfig } from './config.ts';
import { argumentProblems, modelProblems, needsSpeculationTypes } from './preflight.ts';

export type RestartPlan =
  | { readonly ok: true; readonly config: EngineConfig; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

const modelVariables = ['MODEL_PATH', 'MODEL_NAME', 'HF_REPO', 'MODEL_URL'] as const;
/** Files that belong to one model only. */
const companions = ['MMPROJ', 'DRAFT_MODEL', 'LORA_ADAPTERS'] as const;

/**
 * The variables that a restart of llama-server may change. Its executable is not among them: administrators must not run
 * arbitrary programs.
 */
const changeable: readonly VariableName[] = [
  ...modelVariables,
  ...companions,
  ...(['MODELS_DIR', 'HF_TOKEN', 'MODEL_ALIAS'] as const),
  ...(['CTX', 'PARALLEL', 'NGL', 'THREADS', 'FLASH_ATTN', 'CACHE_TYPE_K', 'CACHE_TYPE_V'] as const),
  ...(['SPECULATE', 'EXTRA_ARGS', 'SLEEP_IDLE_SECONDS'] as const),
];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds every problem with the changes while the old engine still serves. `readTypes` asks llama-server for its types of
 * speculation, where something depends on them that did not before.
 */
export function planRestart(
  current: EngineConfig,
  changes: SettingChanges,
  env: Environment,
  readTypes: () => readonly string[] | undefined = () => undefined,
): RestartPlan {
  const names = Object.keys(changes);
  const unchangeable = names.filter((name) => !isChangeable(name)).map(cannotChange);
  const { settings: read, problems: invalid } = readSettings(
    Object.fromEntries(Object.entries(changes).filter(([name]) => isChangeable(name))),
  );
  const settings = {
    ...baseFor(current, changes),
    ...pick(read, names.filter(isChangeable)),
  };
  const {
    config: configured,
    problems,
    warnings,
  } = configure(
    settings,
    env,
    invalid.map(({ variable }) => variable),
  );
  const config = configured && {
    ...configured,
    speculationTypes:
      current.speculationTypes ?? (needsSpeculationTypes(configured) ? readTypes() : undefined),
  };
  const allProblems = [
    ...unchangeable,
    ...invalid.map(({ message }) => message),
    ...problems,
    ...modelProblems(config, settings),
    ...argumentProblems(settings),
    ...startProblems(changes),
  ];
  return config?.engine && allProblems.length === 0
    ? { ok: true, config: { ...config, engine: config.engine }, warnings }
    : { ok: false, problems: allProblems };
}

function isChangeable(name: string): name is VariableName {
  return (changeable as readonly string[]).includes(name);
}

const cannotChange = (name: string) =>
  `${name}: a restart cannot change this variable, only these: ${changeable.join(', ')}`;

/** Applies to changes over HTTP only: the initial settings are unchanged. */
function startProblems({ EXTRA_ARGS = '' }: SettingChanges): string[] {
  return findStartOnlyArguments(splitWords(EXTRA_ARGS) ?? []).map(
    (argument) => `EXTRA_ARGS: ${argument} can only be set when llama-corral is started, not by a restart`,
  );
}

/** A change of the model also clears the other variables that select one, and the files that belong to it. */
function baseFor(
  { givenSettings, givenModelIndependentSettings }: SupervisorConfig,
  changes: SettingChanges,
): Settings {
  if (!modelVariables.some((name) => changes[name])) return givenSettings;
  const cleared = Object.fromEntries([...modelVariables, ...companions].map((name) => [name, undefined]));
  return { ...givenModelIndependentSettings, ...cleared };
}

function pick(settings: Settings, names: readonly VariableName[]): Partial<Settings> {
  return Object.fromEntries(names.map((name) => [name, settings[name]]));
}
