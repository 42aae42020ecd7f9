import { parseExactly } from '../../json/exact-numbers.ts';
import type { JsonObject } from '../../json/json-object.ts';
import { asList } from '../api/json.ts';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import { estimateTokens } from '../api/request-size.ts';
import { fitTurns } from '../api/responses/fit-turns.ts';
import { dropTurns, findTurns, type Turns } from '../api/responses/turns.ts';

/** Room for the response of a request without a limit, tokens; as much as rate limits reserve for it. */
const DEFAULT_OUTPUT = 1024;
/** The part of the context in whose steps turns are dropped (FitLimits). */
const STEP = 1 / 8;
/** An estimate counts four bytes as one token; no token has less than one byte. */
const HIGHEST_ERROR = 4;

/** `truncation: "auto"` of the Responses API: what is oldest is dropped from a prompt that is too long. */
export const isTruncatable = ({ echoed }: ApiRequest): boolean => echoed?.truncation === 'auto';

/** The most tokens of the prompt that leave room for the response: its limit, but at most half the context. */
export function promptLimit({ estimate }: Pick<ApiRequest, 'estimate'>, context: number): number {
  const room = Math.min(estimate.output ?? DEFAULT_OUTPUT, Math.floor(context / 2));
  return context - Math.max(room, 1);
}

/** Whether the prompt has to be counted. The engine would reject one that is too long. */
export function mayNeedTruncation(request: ApiRequest, context: number): boolean {
  return request.estimate.input * HIGHEST_ERROR > promptLimit(request, context);
}

export interface FittedPrompt {
  readonly request: ApiRequest;
  /** Undefined if it could not be counted. */
  readonly tokens: number | undefined;
}

/** The same request without the turns that do not fit the context. */
export async function truncatePrompt(
  request: ApiRequest,
  context: number,
  count: (body: Buffer) => Promise<number | undefined>,
): Promise<FittedPrompt> {
  const fields = parseBody(request.body);
  const turns = findTurns(asList(fields.input));
  const withoutTurns = (dropped: number) =>
    dropped === 0
      ? request.body
      : Buffer.from(JSON.stringify({ ...fields, input: dropTurns(turns, dropped) }));
  const limits = { tokens: promptLimit(request, context), step: Math.ceil(context * STEP) };
  const sizes = estimateSizes(request.estimate.input, turns);
  const fit = await fitTurns(sizes, limits, (dropped) => count(withoutTurns(dropped)));
  if (fit.turns === 0) return { request, tokens: fit.tokens };
  const estimate = { ...request.estimate, input: fit.tokens ?? sizes[fit.turns] ?? 0 };
  return { request: { ...request, body: withoutTurns(fit.turns), estimate }, tokens: fit.tokens };
}

const parseBody = (body: Buffer) => parseExactly(body.toString()) as JsonObject;

/** Estimated tokens of the prompt without any turn, without the first one, and so on. */
function estimateSizes(all: number, { items, leading, starts, rounds }: Turns): readonly number[] {
  const ends = [...starts, ...(rounds?.starts ?? [])];
  let size = all;
  const rest = ends.map((end, piece) => {
    // Behind the last turn that can be dropped whole, its message stays.
    const from = piece === starts.length ? rounds?.first : (ends[piece - 1] ?? leading);
    for (const item of items.slice(from, end)) size -= estimateItem(item);
    return Math.max(size, 0);
  });
  return [all, ...rest];
}

function estimateItem(item: unknown): number {
  const bytes = Buffer.byteLength(JSON.stringify(item));
  const rest = { shape: undefined, inputs: undefined, mayHaveMedia: true, completions: 1 };
  return estimateTokens({ fields: { item }, bytes, ...rest }).input;
}
