import { createHash } from 'node:crypto';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { contextLengthExceeded, engineCrashed, invalidValue, modelLoading } from '../errors/catalogue.ts';
import type { Quarantine } from '../scheduler/quarantine.ts';
import type { LeaseRequest } from '../scheduler/scheduler.ts';
import { countInputUnlessSuspect } from './count-tokens.ts';
import type { ProxyServices } from './proxy-context.ts';
import type { RequestRecord } from './request-record.ts';
import { abortError, admissionError } from './result-errors.ts';

/** The size of embeddings is unknown until the model is loaded. */
const LOADING_RETRY_MS = 5000;

/**
 * Rejects embeddings of another size than the model's. llama-server would silently return its own size, and few models
 * allow their embeddings to be cut.
 */
export async function checkDimensions(
  { dimensions }: ApiRequest,
  { modelMeta, monitor }: ProxyServices,
): Promise<void> {
  if (dimensions === undefined) return;
  const size = (await modelMeta.read())?.n_embd;
  if (dimensions === size) return;
  if (size === undefined && monitor.status !== 'ready') throw modelLoading(LOADING_RETRY_MS);
  const own = size === undefined ? 'the size' : `${size}, the size`;
  throw invalidValue('dimensions', `${own} of this model's embeddings, which cannot be cut; omit the field`);
}

/** Enough to recognise a request in the log, and nothing of its content. */
const DIGEST_LENGTH = 16;

export function bodyDigest(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex').slice(0, DIGEST_LENGTH);
}

/** Rejects a body that the engine has crashed on repeatedly. */
export function rejectIfBlocked(quarantine: Quarantine, record: RequestRecord, body: Buffer): void {
  if (!quarantine.isBlocked(body)) return;
  record.digest = bodyDigest(body);
  throw engineCrashed();
}

/** Only prompts that are estimated at this part of the context or more are counted; the engine judges the others. */
const SUSPICIOUS = 0.75;
/** How long a count may take, ms. To serve such a request would take the engine as long before its first token. */
const COUNT_TIMEOUT = 600_000;

/**
 * Rejects a prompt that does not fit the context before it waits for a slot. Only prompts that look too long are counted, by
 * the backend itself, a few at a time. Several prompts in one request have a slot each.
 */
export async function checkPromptLength(
  route: ApiRoute,
  { estimate, weight, body }: ApiRequest,
  { countingScheduler, counting, monitor }: Pick<ProxyServices, 'countingScheduler' | 'counting' | 'monitor'>,
  leaseRequest: LeaseRequest,
): Promise<void> {
  const context = monitor.props?.contextPerSlot;
  if (context === undefined || route.countPath === undefined || !route.generates || weight > 1) return;
  if (estimate.input < context * SUSPICIOUS || monitor.status !== 'ready') return;
  const admission = await countingScheduler.admit(leaseRequest);
  if (admission.outcome !== 'granted') throw admissionError(admission, monitor.status, leaseRequest.signal);
  const { lease } = admission;
  // The engine counts to the end, even if the client has left: so long the lease is out.
  const counted = countInputUnlessSuspect({ ...counting, timeoutMs: COUNT_TIMEOUT }, route, body);
  counted.finally(() => lease[Symbol.dispose]()).catch(() => {});
  const tokens = await raceAbort(counted, leaseRequest.signal);
  if (tokens !== undefined && tokens >= context) throw contextLengthExceeded(tokens, context);
}

async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(abortError(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
