import { APIError } from 'openai';
import { type SdkRequest, sdkRequests } from './sdk-requests.ts';

/** A request to a model or an alias. */
export interface ChaosRequest extends SdkRequest {
  readonly model: string;
  /** The models that may answer it. */
  readonly targets: readonly string[];
  /** Whether a fault removes its model, or the file of it, for a while. */
  readonly mayBeRemoved?: true;
}

/** Requests to a model, or to an alias of `targets`. */
export function requestsOf(
  model: string,
  {
    targets = [model],
    from = sdkRequests,
  }: { targets?: readonly string[]; from?: readonly SdkRequest[] } = {},
): ChaosRequest[] {
  return from.map((request) => ({ ...request, model, targets }));
}

const absences: ReadonlySet<unknown> = new Set(['model_not_found', 'model_failed']);

/** If the engine dies while the model thinks, the stream ends with an error. A model that is removed, or whose file is, cannot answer. */
export function failsByDesign({ mayFail, mayBeRemoved }: ChaosRequest, error: Error): boolean {
  if (mayBeRemoved && error instanceof APIError && absences.has(error.code)) return true;
  return mayFail === true && error.message.includes('cannot be continued');
}
