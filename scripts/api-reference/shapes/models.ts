import { z } from 'zod';

/** A model as a client may see it: a public name, never a path. */
export const modelObject = z.strictObject({
  id: z.string().regex(/^[^/]+$/),
  object: z.literal('model'),
  created: z.int().positive(),
  owned_by: z.string().min(1),
});

export const modelList = z.strictObject({ object: z.literal('list'), data: z.array(modelObject) });
