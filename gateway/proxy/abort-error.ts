import { requestCancelled } from '../errors/catalogue.ts';
import { ClientDisconnected, RequestCancelled } from '../upstream/failure.ts';

/** What to throw for a request that ends before the backend has it, from the reason of its signal. */
export function abortError(reason: unknown): Error {
  return reason instanceof RequestCancelled ? requestCancelled() : new ClientDisconnected('the client left');
}
