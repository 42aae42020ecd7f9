import type { Responses } from 'openai/resources';
import { expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { responseEvent, responseObject, storedResponse } from './responses.ts';

/** Without the `undefined` that zod adds to what is optional: JSON has none. */
type Json<T> = T extends readonly (infer Item)[]
  ? Json<Item>[]
  : T extends object
    ? { [K in keyof T]: Json<Exclude<T[K], undefined>> }
    : T;

type Body = Json<z.infer<typeof responseObject>>;
type Stored = Json<z.infer<typeof storedResponse>>;
type Event = Json<z.infer<typeof responseEvent>>;
type WithResponse = Extract<Event, { response: unknown }>;
type OpenAIWithResponse = Extract<Responses.ResponseStreamEvent, { response: unknown }>;

/** What a response repeats of its request has the form that the client gave it. */
type Repeated = 'tools' | 'tool_choice' | 'text' | 'reasoning';
/** Of the SDK's own making. */
type Added = 'output_text';

// tsc checks these types; nothing runs.
it('complete responses have the types of the OpenAI SDK', () => {
  type Expected = Omit<Responses.Response, Repeated | Added>;
  type Complete = Exclude<Body, { status: 'queued' }>;
  expectTypeOf<Omit<Complete, Repeated>>().toExtend<Expected>();
  type Ended = Extract<WithResponse, { type: 'response.completed' | 'response.incomplete' }>;
  expectTypeOf<Omit<Ended['response'], Repeated>>().toExtend<Expected>();
});

it('stored responses, and those of other events, have them as well', () => {
  // `usage` is null, as OpenAI sends it, although its SDK knows it only as missing.
  type Expected = Omit<Responses.Response, Repeated | Added | 'usage' | 'error'>;
  expectTypeOf<Omit<WithResponse['response'], Repeated | 'usage' | 'error'>>().toExtend<Expected>();
  expectTypeOf<Omit<Stored, Repeated | 'usage' | 'error'>>().toExtend<Expected>();
  type Error = NonNullable<WithResponse['response']['error']>;
  // Codex waits for this code, which OpenAI sends, and which is not in the SDK's list.
  type Known = Exclude<Error['code'], 'context_length_exceeded'>;
  expectTypeOf<Known>().toExtend<Responses.ResponseError['code']>();
});

it('events have the types of the OpenAI SDK', () => {
  expectTypeOf<Exclude<Event, { response: unknown }>>().toExtend<Responses.ResponseStreamEvent>();
  expectTypeOf<WithResponse['type']>().toExtend<OpenAIWithResponse['type']>();
});
