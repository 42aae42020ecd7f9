import { z } from 'zod';

const base64 = z.base64();

/** A list of embeddings, as numbers or as the base64 of 32-bit floats, which the SDKs ask for. */
export const embeddingList = z.strictObject({
  object: z.literal('list'),
  model: z.string().min(1),
  data: z
    .array(
      z.strictObject({
        object: z.literal('embedding'),
        index: z.int().nonnegative(),
        embedding: z.union([z.array(z.number()).min(1), base64.min(1)]),
        /** llama-server's own, beside base64. */
        encoding_format: z.literal('base64').optional(),
      }),
    )
    .min(1),
  usage: z.strictObject({ prompt_tokens: z.int().positive(), total_tokens: z.int().positive() }),
});
