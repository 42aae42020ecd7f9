import { z } from 'zod';
import { component } from './component.ts';

const count = z.int().nonnegative();
const id = z.string().regex(/^[^/]/);

/** A model for clients: a public name, never a path. Fields of the engine are present once it has reported them. */
export const modelObject = component(
  'OpenAIModel',
  z.strictObject({
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
    /** For a LoRA adapter, its model. */
    root: z.string().optional(),
    parent: z.string().optional(),
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
  }),
);

export const modelList = component(
  'OpenAIModelList',
  z.strictObject({
    object: z.literal('list'),
    data: z.array(modelObject),
    models: z
      .array(z.looseObject({ name: id, model: id, capabilities: z.array(z.string()) }))
      .meta({ description: "llama-server's own list, in the format of Ollama." }),
  }),
);

/** A model for Anthropic's clients, which send `anthropic-version`. */
export const anthropicModel = component(
  'AnthropicModel',
  z.strictObject({
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
  }),
);

export const anthropicModelList = component(
  'AnthropicModelList',
  z.strictObject({
    data: z.array(anthropicModel),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
  }),
);
