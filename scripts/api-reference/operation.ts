import type { z } from 'zod';
import type { Scope } from '../../keys/key.ts';
import type { ErrorName } from './error-examples.ts';

export interface Parameter {
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
