import { z } from 'zod';

const count = z.int().nonnegative();
const id = z.string().regex(/^[^/]/);

/** A model for clients: a public name, never a path. Fields of the engine are present once it has reported them. */
export const modelObject = z.strictObject({
  id,
  object: z.literal('model'),
  created: z.int().positive(),
  owned_by: z.string().min(1),
  meta: z
    .strictObject({
      n_ctx: count.meta({ description: 'Context tokens of one request.' }),
      n_ctx_train: count,
      n_embd: count,
      n_vocab: count,
      n_params: count,
      size: count.meta({ description: 'Bytes.' }),
    })
    .partial()
    .optional(),
  context_length: count.optional(),
  architecture: z
    .strictObject({
      input_modalities: z.array(z.enum(['text', 'image', 'audio', 'video'])),
      output_modalities: z.array(z.enum(['text', 'embeddings', 'rerank'])),
    })
    .optional(),
  status: z.enum(['unloaded', 'loading', 'loaded', 'sleeping', 'failed']),
  kind: z
    .enum(['chat', 'embeddings', 'rerank'])
    .meta({ description: 'With several models: what it answers.' })
    .optional(),
  targets: z
    .array(z.strictObject({ model: z.string(), weight: z.number().positive() }))
    .meta({ description: 'Of an alias: where its requests go, by weight.' })
    .optional(),
});

export const modelList = z.strictObject({
  object: z.literal('list'),
  data: z.array(modelObject),
  models: z
    .array(z.looseObject({ name: id, model: id, capabilities: z.array(z.string()) }))
    .meta({ description: "llama-server's own list, in the format of Ollama." }),
});

/** A model for Anthropic's clients, which send `anthropic-version`. */
export const anthropicModel = z.strictObject({
  type: z.literal('model'),
  id,
  display_name: z.string().min(1),
  created_at: z.iso.datetime(),
  max_input_tokens: count.nullable(),
  max_tokens: count.nullable(),
  capabilities: z.null(),
  lifecycle: z.literal('active'),
  deprecated_at: z.null(),
  retires_at: z.null(),
  line: z.null(),
});

export const anthropicModelList = z.strictObject({
  data: z.array(anthropicModel),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});
