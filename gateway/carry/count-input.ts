import { type Answer, ask } from '../../health/ask.ts';
import type { Backend } from '../../health/backend.ts';
import type { BackendWatch } from '../../health/watch.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import { type Suspects, Work } from '../suspects/suspects.ts';
import { countedBody } from './counted-body.ts';

export interface CountingParts {
  /** Those that the engine may have died of. */
  readonly suspects: Suspects;
  readonly backend: Backend;
  readonly watch: BackendWatch;
  /** Aborts when the gateway ends. */
  readonly ended: AbortSignal;
  /** What a counting may take, ms. */
  readonly patienceMs?: number;
}

/**
 * The tokens of a request's input, counted by the backend's own counting route (`countedAt` of the route table), which
 * takes no slot; undefined where the backend cannot say. Exact: the same code reads the same body.
 */
export async function countInput(
  parts: CountingParts,
  route: ApiRoute,
  body: Buffer,
): Promise<number | undefined> {
  const { countedAt } = route;
  if (countedAt === undefined) return undefined;
  const { suspects } = parts;
  const work = new Work(body);
  const { outcome, tokens } = await count(parts, countedAt, addressed(parts, countedBody(route, body), body));
  if (outcome === 'answered') suspects.counted(work);
  else if (outcome === 'unreachable') await suspects.brokeOff(work, 0);
  else if (outcome === 'deaf') suspects.left(work);
  return tokens;
}

/** As countInput, for what can do without: the engine is not asked about a body that it may have died of. */
export async function countIfClear(
  parts: CountingParts,
  route: ApiRoute,
  body: Buffer,
): Promise<number | undefined> {
  return parts.suspects.isClear(body) ? countInput(parts, route, body) : undefined;
}

/** What goes to a router names its model. */
function addressed({ watch }: CountingParts, counted: Buffer | object, body: Buffer): Buffer | object {
  if (!watch.isRouter || Buffer.isBuffer(counted)) return counted;
  return { ...counted, model: (JSON.parse(body.toString()) as { readonly model?: unknown }).model };
}

/** The tokens of a text that the backend has generated; undefined where the backend cannot say. */
export async function countText(
  parts: CountingParts,
  text: string,
  model: string | undefined,
): Promise<number | undefined> {
  const asked = { content: text, add_special: false, parse_special: true };
  const { tokens } = await count(parts, '/tokenize', parts.watch.isRouter ? { ...asked, model } : asked);
  return tokens;
}

interface Counted {
  readonly outcome: Answer['outcome'] | 'not-asked';
  readonly tokens: number | undefined;
}

async function count(
  { backend, watch, ended, patienceMs = 2000 }: CountingParts,
  path: string,
  body: Buffer | object,
): Promise<Counted> {
  if (watch.standing !== 'ready') return { outcome: 'not-asked', tokens: undefined };
  const answer = await ask(backend, { path, body, timeoutMs: patienceMs, signal: ended });
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
