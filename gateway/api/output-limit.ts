import type { CompletionShape } from './aggregate/aggregator.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The most tokens that one answer may have, as llama-server reads it. */
export interface OutputLimit {
  /** The field that it obeys: of that name, a further member behind the client's own has its place. */
  readonly name: string;
  /** Undefined where the answer has no end but its own. */
  readonly tokens: number | undefined;
}

/** As large as a number of tokens can be for llama-server. */
const LARGEST = 2 ** 31 - 1;
/** What llama-server takes for `/v1/messages` that name nothing. */
const USUAL_MESSAGE = 4096;

/**
 * Of several names llama-server obeys the first one in its own order that is not null, wherever it stands in the body
 * (seen with 0.7.0; server-schema.cpp). Its converters come before that: `max_output_tokens` of Responses takes the place
 * of `max_tokens`, and of Messages only `max_tokens` is kept. `shape` is that of the route, undefined for a native one.
 */
export function getOutputLimit(shape: CompletionShape | undefined, fields: Fields): OutputLimit {
  const names = namesOf(shape, fields);
  const name = names.find((one) => isThere(fields[one])) ?? names.at(-1) ?? '';
  const isUnnamed = shape === 'message' && fields.max_tokens === undefined;
  return { name, tokens: isUnnamed ? USUAL_MESSAGE : tokensOf(fields[name]) };
}

function namesOf(shape: CompletionShape | undefined, fields: Fields): readonly string[] {
  if (shape === 'message') return ['max_tokens'];
  const last =
    shape === 'response' && fields.max_output_tokens !== undefined ? 'max_output_tokens' : 'max_tokens';
  return ['n_predict', 'max_completion_tokens', last];
}

const isThere = (value: unknown) => value !== undefined && value !== null;

/** Below 0 there is no end; 0 is one token, as true is; a part of a token is none. What is no number is refused there. */
function tokensOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return 1;
  if (typeof value !== 'number' || value <= -1) return undefined;
  return Math.min(Math.max(Math.trunc(value), 1), LARGEST);
}
