import type { ApiRequest } from '../openai/read-request.ts';
import { contextLengthExceeded } from '../refusal/catalogue.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import { type CountingParts, countInput } from './count-input.ts';

/** A body this much of the context by its bytes is worth a question; the others are left to the engine to judge. */
const SUSPICIOUS = 0.75;

/**
 * Refuses a request whose prompt cannot fit before it waits for a slot and takes it. Cheap for all others: only bodies
 * that look too long are counted, by the backend itself. Several prompts in one request each have a slot of their own.
 */
export async function refuseTooLong(
  route: ApiRoute,
  { expected, weight, body }: ApiRequest,
  counting: CountingParts,
): Promise<void> {
  const context = counting.watch.facts?.contextPerSlot;
  if (context === undefined || route.countedAt === undefined || !route.generates || weight > 1) return;
  if (expected.input < context * SUSPICIOUS) return;
  const tokens = await countInput(counting, route, body);
  if (tokens !== undefined && tokens >= context) throw contextLengthExceeded(tokens, context);
}
