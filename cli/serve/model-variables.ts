import type { Settings } from '../../settings/variables.ts';

/** The variables that name the model; one of them is enough. */
const names = ['MODEL_PATH', 'MODEL_NAME', 'HF_REPO', 'MODEL_URL'] as const;
export const modelVariables: readonly string[] = names;

/** Whether the operator left the model open. */
export function noModelConfigured(settings: Pick<Settings, (typeof names)[number]>): boolean {
  return names.every((name) => settings[name] === undefined);
}
