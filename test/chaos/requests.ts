import { APIError } from 'openai';
import { type SdkRequest, sdkRequests } from './sdk-requests.ts';

/** A request to a model or an alias. */
export interface ChaosRequest extends SdkRequest {
  readonly model: string;
  /** The models that may answer it. */
  readonly targets: readonly string[];
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

/** If the engine dies while the model thinks, the stream ends with an error. */
export function failsByDesign({ mayFail }: ChaosRequest, error: Error): boolean {
  return mayFail === true && error.message.includes('cannot be continued');
}

const codes: ReadonlySet<unknown> = new Set(['model_not_found', 'model_failed']);

/** The times in which a fault has taken a model away: nothing can answer its requests then. */
export class Absences {
  /** When the last one of a model ended, of `performance.now`. */
  readonly #ends = new Map<string, number>();

  begin(model: string): void {
    this.#ends.set(model, Number.POSITIVE_INFINITY);
  }

  end(model: string): void {
    this.#ends.set(model, performance.now());
  }

  /** Whether this is why a request that was sent at `sentAt` failed. */
  explain({ model }: ChaosRequest, error: Error, sentAt: number): boolean {
    const end = this.#ends.get(model) ?? Number.NEGATIVE_INFINITY;
    return sentAt < end && error instanceof APIError && codes.has(error.code);
  }
}
