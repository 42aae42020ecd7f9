import type { z } from 'zod';
import { rateHeaderNames } from '../../gateway/limits/rate-headers.ts';
import type { Scope } from '../../keys/key.ts';
import type { ErrorName } from './error-examples.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description: string;
  readonly schema: object;
}

/** The schema of a body, and its name among the components of the document. */
export interface NamedSchema {
  readonly name: string;
  readonly schema: z.ZodType;
}

export interface ResponseSpec {
  readonly status: number;
  readonly description: string;
  readonly json?: NamedSchema;
  /** One event of a stream. */
  readonly event?: NamedSchema;
  /** The media type of any other body. */
  readonly other?: string;
}

export interface RequestBody {
  readonly json?: NamedSchema;
  readonly example?: object;
  readonly form?: NamedSchema;
  readonly isOptional?: boolean;
}

/**
 * The format of errors, and the headers of responses: requests of `engine` and `anthropic` go to the engine, and have headers about
 * waiting and limits; `listing` has only those about limits, `counted` only that of requests, `plain` has neither.
 * `plain-anthropic` and `counted-anthropic` differ in the format.
 */
export type ResponseStyle =
  | 'engine'
  | 'anthropic'
  | 'listing'
  | 'plain'
  | 'plain-anthropic'
  | 'counted'
  | 'counted-anthropic';

/** One operation of the API. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  /** Other paths of the same operation. */
  readonly alsoAt?: readonly string[];
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly seeAlso?: string;
  /** Undefined if no key is required. */
  readonly scope?: Scope;
  /** The response has more with a key. */
  readonly keyIsOptional?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly body?: RequestBody;
  readonly responses: readonly ResponseSpec[];
  readonly errors: readonly ErrorName[];
  readonly style: ResponseStyle;
}

type Header = { readonly description: string; readonly schema: object };

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

/** The headers that the gateway adds to responses. */
export const headers: Readonly<Record<string, Header>> = {
  'x-request-id': {
    description: "The request's own id if it was well-formed, else a new one.",
    schema: text,
  },
  'request-id': { description: 'The same id, for clients of Anthropic.', schema: text },
  'x-queue-wait-ms': { description: 'Time in the queue.', schema: count },
  'x-corral-repaired': {
    description:
      'How many damaged or missing tool calls in the history were repaired. Only present if there were any.',
    schema: count,
  },
  'x-corral-dropped-tools': {
    description:
      'The types of tools that run elsewhere, which the model was not offered. Only present if there were any.',
    schema: text,
  },
  'x-corral-alias': {
    description:
      'The alias that the request named, percent-encoded if it is not ASCII; `model` is the model that answered.',
    schema: text,
  },
  'x-corral-cache': {
    description:
      '`hit`: answered from the response cache. `miss`: answered by the model, and kept if it is complete. `bypass`: not to be cached. Only present with `RESPONSE_CACHE`.',
    schema: { enum: ['hit', 'miss', 'bypass'] },
  },
  'openai-processing-ms': {
    description: 'Time to the response headers, without the time in the queue.',
    schema: count,
  },
  ...Object.fromEntries(rateHeaderNames.map((name) => [name, rateHeader(name)])),
  'retry-after': {
    description: 'When to retry, in seconds.',
    schema: { type: 'integer', minimum: 1, maximum: 60 },
  },
  'retry-after-ms': {
    description: 'The same in milliseconds.',
    schema: { type: 'integer', minimum: 1000, maximum: 60_000 },
  },
  'x-should-retry': {
    description: 'A retry would fail in the same way.',
    schema: { ...text, enum: ['false'] },
  },
  'www-authenticate': { description: 'A key is required.', schema: { ...text, enum: ['Bearer'] } },
};

function rateHeader(name: string): Header {
  const unit = name.endsWith('tokens') ? 'tokens' : 'requests';
  const only =
    unit === 'tokens' ? ' Only present if tokens are limited.' : ' Only present if requests are limited.';
  if (name.includes('-limit-'))
    return { description: `The maximum number of ${unit} per minute.${only}`, schema: count };
  if (name.includes('-remaining-'))
    return { description: `The remaining ${unit} in this minute.${only}`, schema: count };
  return { description: `Time until the next minute, such as \`12s\` or \`1m0s\`.${only}`, schema: text };
}

const requestHeaderNames = rateHeaderNames.filter((name) => name.endsWith('-requests'));

/** On every response of a style, including errors. */
export const commonHeaders: Readonly<Record<ResponseStyle, readonly string[]>> = {
  engine: ['x-request-id', 'x-corral-alias', 'x-corral-cache', ...rateHeaderNames],
  anthropic: ['x-request-id', 'request-id', 'x-corral-alias', 'x-corral-cache', ...rateHeaderNames],
  listing: ['x-request-id', 'request-id', ...rateHeaderNames],
  plain: ['x-request-id'],
  'plain-anthropic': ['x-request-id', 'request-id'],
  counted: ['x-request-id', ...requestHeaderNames],
  'counted-anthropic': ['x-request-id', 'request-id', ...requestHeaderNames],
};

/** References to these headers. */
export function headersNamed(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
