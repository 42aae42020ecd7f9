import type { Claim } from '../admission/admission.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import { contextLengthExceeded } from '../refusal/catalogue.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import { countIfClear } from './count-input.ts';
import { refuseDeparture } from './refuse-departure.ts';
import { refuseAdmission } from './refuse-ending.ts';
import type { CarryParts } from './sending.ts';

/** A body this much of the context by its bytes is worth a question; the others are left to the engine to judge. */
const SUSPICIOUS = 0.75;
/** What a count may take, ms: as long as a request may. Serving this one would take the engine as long before its first token. */
const PATIENCE = 600_000;

/**
 * Refuses a request whose prompt cannot fit before it waits for a slot and takes it. Cheap for all others: only bodies
 * that look too long are counted, by the backend itself, a few at a time. Several prompts in one request each have a slot
 * of their own.
 */
export async function refuseTooLong(
  route: ApiRoute,
  { expected, weight, body }: ApiRequest,
  { countingPlaces, counting, watch }: Pick<CarryParts, 'countingPlaces' | 'counting' | 'watch'>,
  claim: Claim,
): Promise<void> {
  const context = watch.facts?.contextPerSlot;
  if (context === undefined || route.countedAt === undefined || !route.generates || weight > 1) return;
  if (expected.input < context * SUSPICIOUS || watch.standing !== 'ready') return;
  const admitted = await countingPlaces.admit(claim);
  if (admitted.outcome !== 'granted') throw refuseAdmission(admitted, watch.standing, claim.signal);
  const { lease } = admitted;
  // The engine counts to the end, and that long the place is taken, whoever waits for it.
  const counted = countIfClear({ ...counting, patienceMs: PATIENCE }, route, body);
  counted.finally(() => lease[Symbol.dispose]()).catch(() => {});
  const tokens = await unlessLeft(counted, claim.signal);
  if (tokens !== undefined && tokens >= context) throw contextLengthExceeded(tokens, context);
}

async function unlessLeft<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = () => reject(refuseDeparture(signal.reason));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
