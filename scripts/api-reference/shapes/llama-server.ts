import { z } from 'zod';
import { component } from './component.ts';

const count = z.int().nonnegative();
const ms = z.number().nonnegative();

/** llama-server's own timings, on the last object of most responses. OpenAI's clients ignore them. */
export const timings = component(
  'Timings',
  z.strictObject({
    cache_n: count,
    prompt_n: count,
    prompt_ms: ms,
    prompt_per_token_ms: ms.nullable(),
    prompt_per_second: ms.nullable(),
    predicted_n: count,
    predicted_ms: ms,
    predicted_per_token_ms: ms.nullable(),
    predicted_per_second: ms.nullable(),
    draft_n: count.optional(),
    draft_n_accepted: count.optional(),
  }),
);

/** How far a long prompt has been read; only with `return_progress`. */
export const promptProgress = component(
  'PromptProgress',
  z.strictObject({ total: count, cache: count, processed: count, time_ms: ms }),
);

/** llama-server's own format: the fields that a client needs. */
export const nativeCompletion = z.looseObject({
  content: z.string(),
  stop: z.boolean(),
  tokens_predicted: z.int().optional(),
  tokens_evaluated: z.int().optional(),
});

export const tokens = z.looseObject({
  tokens: z.array(component('Token', z.union([z.int(), z.looseObject({ id: z.int(), piece: z.unknown() })]))),
});

export const detokenized = z.looseObject({ content: z.string() });

export const appliedTemplate = z.looseObject({ prompt: z.string() });

/** In the format of Jina. */
export const rerankResult = z.looseObject({
  results: z.array(
    z.looseObject({
      index: z.int(),
      relevance_score: z.number(),
      document: z.object({ text: z.string() }).meta({ description: 'With `return_documents`.' }).optional(),
    }),
  ),
});

export const transcription = z.looseObject({ text: z.string() });
