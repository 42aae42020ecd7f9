import type { Backend } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { type BackendResponse, requestBackend } from '../../health/request-backend.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { type Quarantine, TrackedRequest } from '../scheduler/quarantine.ts';
import { countingRequestBody } from './counting-request-body.ts';

export interface CountingContext {
  /** Those that the engine may have died of. */
  readonly quarantine: Quarantine;
  readonly backend: Backend;
  readonly watch: BackendMonitor;
  /** Aborts when the gateway ends. */
  readonly ended: AbortSignal;
  /** What a counting may take, ms. */
  readonly timeoutMs?: number;
}

/**
 * The tokens of a request's input, counted by the backend's own counting route (`countedAt` of the route table), which
 * takes no slot; undefined where the backend cannot say. Exact: the same code reads the same body.
 */
export async function countInputTokens(
  parts: CountingContext,
  route: ApiRoute,
  body: Buffer,
): Promise<number | undefined> {
  const { countPath } = route;
  if (countPath === undefined) return undefined;
  const { quarantine } = parts;
  const work = new TrackedRequest(body);
  const { outcome, tokens } = await count(
    parts,
    countPath,
    addressed(parts, countingRequestBody(route, body), body),
  );
  if (outcome === 'answered') quarantine.counted(work);
  else if (outcome === 'unreachable') await quarantine.connectionLost(work, 0);
  else if (outcome === 'deaf') quarantine.abandoned(work);
  return tokens;
}

/** As countInput, for what can do without: the engine is not asked about a body that it may have died of. */
export async function countInputUnlessSuspect(
  parts: CountingContext,
  route: ApiRoute,
  body: Buffer,
): Promise<number | undefined> {
  return parts.quarantine.isClear(body) ? countInputTokens(parts, route, body) : undefined;
}

/** What goes to a router names its model. */
function addressed({ watch }: CountingContext, counted: Buffer | object, body: Buffer): Buffer | object {
  if (!watch.isRouter || Buffer.isBuffer(counted)) return counted;
  return { ...counted, model: (JSON.parse(body.toString()) as { readonly model?: unknown }).model };
}

/** The tokens of a text that the backend has generated; undefined where the backend cannot say. */
export async function countTextTokens(
  parts: CountingContext,
  text: string,
  model: string | undefined,
): Promise<number | undefined> {
  const asked = { content: text, add_special: false, parse_special: true };
  const { tokens } = await count(parts, '/tokenize', parts.watch.isRouter ? { ...asked, model } : asked);
  return tokens;
}

interface Counted {
  readonly outcome: BackendResponse['outcome'] | 'not-asked';
  readonly tokens: number | undefined;
}

async function count(
  { backend, watch, ended, timeoutMs = 2000 }: CountingContext,
  path: string,
  body: Buffer | object,
): Promise<Counted> {
  if (watch.status !== 'ready') return { outcome: 'not-asked', tokens: undefined };
  const answer = await requestBackend(backend, { path, body, timeoutMs: timeoutMs, signal: ended });
  const tokens = answer.outcome === 'answered' ? tokensIn(answer.body) : undefined;
  return { outcome: answer.outcome, tokens };
}

function tokensIn(answer: string): number | undefined {
  try {
    const { input_tokens, tokens } = JSON.parse(answer) as { input_tokens?: unknown; tokens?: unknown };
    if (typeof input_tokens === 'number') return input_tokens;
    return Array.isArray(tokens) ? tokens.length : undefined;
  } catch {
    return undefined;
  }
}
