import { type Settings, type Variable, variables } from '../settings/variables.ts';

import { platformKeys } from './platform/stop-call.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment of the gateway: ours, with every setting in the form in which it was finally decided, so that the
 * gateway decides nothing a second time. Secrets that only others need stay out.
 */
export function gatewayEnvironment(env: Environment, settings: Settings): Record<string, string> {
  return {
    ...foreignEnvironment(env),
    ...settingsAsVariables({ ...settings, HF_TOKEN: undefined, RUNPOD_AI_API_KEY: undefined }),
  };
}

/** What others than we have set, but for the keys of the platforms. */
export function foreignEnvironment(env: Environment): Record<string, string> {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !isOurs(entry[0]) && !isPlatformKey(entry[0]),
  );
  return Object.fromEntries(passed);
}

const isPlatformKey = (name: string) => (platformKeys as readonly string[]).includes(name);

const isOurs = (name: string) => name.replace(/_FILE$/, '') in variables || name in variables;

/** Settings as the variables that would give them. */
export function settingsAsVariables(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, variable] of Object.entries(variables) as [string, Variable][]) {
    const value = settings[name];
    if (value !== undefined) shown[name] = variable.kind.format(value);
  }
  return shown;
}
