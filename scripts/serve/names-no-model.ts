import type { Settings } from '../../settings/variables.ts';

/** Whether the operator left the model open. */
export function namesNoModel({ MODEL_PATH, MODEL_NAME, HF_REPO, MODEL_URL }: Settings): boolean {
  return [MODEL_PATH, MODEL_NAME, HF_REPO, MODEL_URL].every((named) => named === undefined);
}
