import type { SettingChanges } from '../health/supervisor-messages.ts';
import { readSettings } from '../settings/read-settings.ts';
import type { Settings, VariableName } from '../settings/variables.ts';
import { configure, type SupervisorConfig } from './config.ts';
import { findStartOnlyArguments } from './engine/extra-arguments.ts';
import { splitWords } from './engine/split-words.ts';
import { argumentProblems, modelProblems } from './preflight.ts';

export type RestartPlan =
  | { readonly ok: true; readonly config: SupervisorConfig; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

const sources = ['MODEL_PATH', 'MODEL_NAME', 'HF_REPO', 'MODEL_URL'] as const;
/** What fits one model and no other. */
const companions = ['MMPROJ', 'DRAFT_MODEL'] as const;

/**
 * The variables that a restart of llama-server may change. Its program is none of them: whoever may administer may not
 * run what they like.
 */
const changeable: readonly VariableName[] = [
  ...sources,
  ...companions,
  ...(['MODELS_DIR', 'HF_TOKEN', 'MODEL_ALIAS'] as const),
  ...(['CTX', 'PARALLEL', 'NGL', 'THREADS', 'FLASH_ATTN', 'CACHE_TYPE_K', 'CACHE_TYPE_V'] as const),
  ...(['EXTRA_ARGS', 'SLEEP_IDLE_SECONDS'] as const),
];

type Environment = Readonly<Record<string, string | undefined>>;

/** Looks for every mistake in the changes that can be found while the old engine still serves. */
export function planRestart(
  current: SupervisorConfig,
  changes: SettingChanges,
  env: Environment,
): RestartPlan {
  const names = Object.keys(changes);
  const strangers = names.filter((name) => !isChangeable(name)).map(cannotChange);
  const { settings: read, problems: misfits } = readSettings(
    Object.fromEntries(Object.entries(changes).filter(([name]) => isChangeable(name))),
  );
  const settings = {
    ...baseFor(current, changes),
    ...pick(read, names.filter(isChangeable)),
  };
  const { config, problems, warnings } = configure(settings, env);
  const mistakes = [
    ...strangers,
    ...misfits.map(({ message }) => message),
    ...problems,
    ...modelProblems(config, settings),
    ...argumentProblems(settings),
    ...startProblems(changes),
  ];
  return config && mistakes.length === 0 ? { ok: true, config, warnings } : { ok: false, problems: mistakes };
}

function isChangeable(name: string): name is VariableName {
  return (changeable as readonly string[]).includes(name);
}

const cannotChange = (name: string) =>
  `${name}: no variable that a restart can change; these are: ${changeable.join(', ')}`;

/** Of what comes over HTTP alone: what the house was started with stays as it is. */
function startProblems({ EXTRA_ARGS = '' }: SettingChanges): string[] {
  return findStartOnlyArguments(splitWords(EXTRA_ARGS) ?? []).map(
    (argument) => `EXTRA_ARGS: ${argument} can only be set where the house is started, not by a restart`,
  );
}

/** Whoever names another model does not want the one that was named in another way, nor what belongs to that. */
function baseFor(
  { givenSettings, givenModelIndependentSettings }: SupervisorConfig,
  changes: SettingChanges,
): Settings {
  if (!sources.some((name) => changes[name])) return givenSettings;
  const left = Object.fromEntries([...sources, ...companions].map((name) => [name, undefined]));
  return { ...givenModelIndependentSettings, ...left };
}

function pick(settings: Settings, names: readonly VariableName[]): Partial<Settings> {
  return Object.fromEntries(names.map((name) => [name, settings[name]]));
}
