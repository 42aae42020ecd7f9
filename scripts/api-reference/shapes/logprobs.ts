import { z } from 'zod';

const token = {
  /** llama-server's own: the number of the token. */
  id: z.int().optional(),
  token: z.string(),
  bytes: z.array(z.int().min(0).max(255)).nullable(),
  logprob: z.number().max(0),
};

/** Log-probabilities of a choice. Left out by llama-server: `refusal`. */
export const logprobs = z.strictObject({
  content: z.array(z.strictObject({ ...token, top_logprobs: z.array(z.strictObject(token)) })).nullable(),
  refusal: z.null().optional(),
});
