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

/** What an answer or a body holds: the name under which its shape stands among the components, and the shape. */
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
  /** A media type of something else. */
  readonly other?: string;
}

export interface RequestBody {
  readonly json: NamedSchema;
  readonly example: object;
  readonly form?: NamedSchema;
  readonly isOptional?: boolean;
}

/**
 * In whose words errors come, and which headers tell more: `engine` and `anthropic` go to the engine, and tell of waiting
 * and limits; `listing` tells of limits alone; `plain` of neither.
 */
export type ResponseStyle = 'engine' | 'anthropic' | 'listing' | 'plain';

/** One operation of ours. */
export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  readonly path: string;
  /** Where else it is to be had. */
  readonly alsoAt?: readonly string[];
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly seeAlso?: string;
  /** Undefined where no key is asked for. */
  readonly scope?: Scope;
  /** A key may be shown, and shows more. */
  readonly keyIsOptional?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly body?: RequestBody;
  readonly answers: readonly ResponseSpec[];
  readonly errors: readonly ErrorName[];
  readonly manner: ResponseStyle;
}

type Header = { readonly description: string; readonly schema: object };

const text = { type: 'string' };
const whole = { type: 'integer', minimum: 0 };

/** The headers that we put on answers. */
export const headers: Readonly<Record<string, Header>> = {
  'x-request-id': {
    description: "The request's own, where it was well-formed, else a new one.",
    schema: text,
  },
  'request-id': { description: 'The same, as clients of Anthropic look for it.', schema: text },
  'x-queue-wait-ms': { description: 'Time in line.', schema: whole },
  'x-corral-repaired': {
    description:
      'How many damaged or lost calls of tools in the history were made whole. Only where there were any.',
    schema: whole,
  },
  'x-corral-dropped-tools': {
    description:
      'The types of tools that run elsewhere, which the model was not told of. Only where there were any.',
    schema: text,
  },
  'openai-processing-ms': { description: 'Time to the head of the answer, without the line.', schema: whole },
  ...Object.fromEntries(rateHeaderNames.map((name) => [name, rateHeader(name)])),
  'retry-after': {
    description: 'When to try again, in seconds.',
    schema: { type: 'integer', minimum: 1, maximum: 60 },
  },
  'retry-after-ms': {
    description: 'The same in milliseconds.',
    schema: { type: 'integer', minimum: 1000, maximum: 60_000 },
  },
  'x-should-retry': { description: 'Trying again is in vain.', schema: { const: 'false' } },
  'www-authenticate': { description: 'A key is needed.', schema: { const: 'Bearer' } },
};

function rateHeader(name: string): Header {
  const unit = name.endsWith('tokens') ? 'tokens' : 'requests';
  const only = unit === 'tokens' ? ' Only where tokens are limited.' : ' Only where requests are limited.';
  if (name.includes('-limit-')) return { description: `The most ${unit} in a minute.${only}`, schema: whole };
  if (name.includes('-remaining-'))
    return { description: `What is left of them in this minute.${only}`, schema: whole };
  return { description: `Until a new minute begins, such as \`12s\` or \`1m0s\`.${only}`, schema: text };
}

/** On every answer of a manner, refusals too. */
export const commonHeaders: Readonly<Record<ResponseStyle, readonly string[]>> = {
  engine: ['x-request-id', ...rateHeaderNames],
  anthropic: ['x-request-id', 'request-id', ...rateHeaderNames],
  listing: ['x-request-id', ...rateHeaderNames],
  plain: ['x-request-id'],
};

/** By reference. */
export function headersNamed(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
