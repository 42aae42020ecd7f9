import { z } from 'zod';

/** OpenAI's error object: exactly these four fields, `code` never a number. */
export const errorObject = z.strictObject({
  message: z.string().min(1),
  type: z.string().regex(/^[a-z_]+$/),
  param: z.string().nullable(),
  code: z
    .string()
    .regex(/^[a-z_]+$/)
    .nullable(),
});

export const errorEnvelope = z.strictObject({ error: errorObject });
