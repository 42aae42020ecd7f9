import { z } from 'zod';

/** What llama-server answers in shapes of its own; the fields that a caller needs. */
export const nativeCompletion = z.looseObject({
  content: z.string(),
  stop: z.boolean(),
  tokens_predicted: z.int().optional(),
  tokens_evaluated: z.int().optional(),
});

export const tokens = z.looseObject({
  tokens: z.array(z.union([z.int(), z.looseObject({ id: z.int(), piece: z.unknown() })])),
});

export const detokenized = z.looseObject({ content: z.string() });

export const appliedTemplate = z.looseObject({ prompt: z.string() });

/** As Jina has it. */
export const rerankResult = z.looseObject({
  results: z.array(z.looseObject({ index: z.int(), relevance_score: z.number() })),
});

export const transcription = z.looseObject({ text: z.string() });
