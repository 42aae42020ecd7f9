import { z } from 'zod';
import { component } from './component.ts';

const time = z.int().describe('Seconds since 1970.');
const metadata = z.record(z.string(), z.string());
const metadataLimits = 'At most 16 pairs; keys of 64, values of 512 characters.';

/** A stored item: a message, reasoning, a call of a tool or its output, with the fields of its type. */
const item = z.looseObject({ id: z.string(), type: z.string() });

/** An item as a client sends it. */
const inputItem = component(
  'InputItem',
  z
    .looseObject({ id: z.string().optional(), type: z.string().optional() })
    .describe("As in `input` of a response; an `item_reference` refers to a stored item of the key's own."),
);

const items = z.array(inputItem).max(20);

export const conversationRequest = z.strictObject({
  items: items.nullable().optional(),
  metadata: metadata.nullable().optional().describe(metadataLimits),
});

export const conversationUpdate = z.strictObject({ metadata: metadata.nullable().describe(metadataLimits) });

export const conversation = z.strictObject({
  id: z.string(),
  object: z.literal('conversation'),
  created_at: time,
  metadata,
});

export const deletedConversation = z.strictObject({
  id: z.string(),
  object: z.literal('conversation.deleted'),
  deleted: z.literal(true),
});

export const newItems = z.strictObject({ items });

export const conversationItem = item;

export const itemList = z.strictObject({
  object: z.literal('list'),
  data: z.array(item),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
});

export const deletedResponse = z.strictObject({
  id: z.string(),
  object: z.literal('response'),
  deleted: z.literal(true),
});
