import type { ApiRequest } from '../api/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { contextLengthExceeded } from '../errors/catalogue.ts';
import type { LeaseRequest } from '../scheduler/scheduler.ts';
import { abortError } from './abort-error.ts';
import { countInputUnlessSuspect } from './count-input-tokens.ts';
import type { ProxyServices } from './proxy-context.ts';
import { admissionError } from './result-errors.ts';

/** A body this much of the context by its bytes is worth a question; the others are left to the engine to judge. */
const SUSPICIOUS = 0.75;
/** What a count may take, ms: as long as a request may. Serving this one would take the engine as long before its first token. */
const PATIENCE = 600_000;

/**
 * Refuses a request whose prompt cannot fit before it waits for a slot and takes it. Cheap for all others: only bodies
 * that look too long are counted, by the backend itself, a few at a time. Several prompts in one request each have a slot
 * of their own.
 */
export async function checkPromptLength(
  route: ApiRoute,
  { estimate, weight, body }: ApiRequest,
  { countingScheduler, counting, watch }: Pick<ProxyServices, 'countingScheduler' | 'counting' | 'watch'>,
  claim: LeaseRequest,
): Promise<void> {
  const context = watch.props?.contextPerSlot;
  if (context === undefined || route.countPath === undefined || !route.generates || weight > 1) return;
  if (estimate.input < context * SUSPICIOUS || watch.status !== 'ready') return;
  const admitted = await countingScheduler.admit(claim);
  if (admitted.outcome !== 'granted') throw admissionError(admitted, watch.status, claim.signal);
  const { lease } = admitted;
  // The engine counts to the end, and that long the place is taken, whoever waits for it.
  const counted = countInputUnlessSuspect({ ...counting, timeoutMs: PATIENCE }, route, body);
  counted.finally(() => lease[Symbol.dispose]()).catch(() => {});
  const tokens = await unlessLeft(counted, claim.signal);
  if (tokens !== undefined && tokens >= context) throw contextLengthExceeded(tokens, context);
}

async function unlessLeft<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = () => reject(abortError(signal.reason));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
