import { z } from 'zod';
import { component } from './component.ts';

const count = z.int().nonnegative();
const textBlock = component('TextBlock', z.strictObject({ type: z.literal('text'), text: z.string() }));
const thinkingBlock = component(
  'ThinkingBlock',
  z.strictObject({
    type: z.literal('thinking'),
    thinking: z.string(),
    signature: z.string(),
  }),
);
const toolUseBlock = component(
  'ToolUseBlock',
  z.strictObject({
    type: z.literal('tool_use'),
    id: z.string().min(1),
    name: z.string().min(1),
    input: z.record(z.string(), z.unknown()),
  }),
);
const contentBlock = component(
  'ContentBlock',
  z.discriminatedUnion('type', [textBlock, thinkingBlock, toolUseBlock]),
);
/** llama-server opens a block without the fields that its deltas fill. */
const startedBlock = component(
  'StartedBlock',
  z.discriminatedUnion('type', [
    textBlock,
    component('StartedThinkingBlock', thinkingBlock.partial({ signature: true })),
    component('StartedToolUseBlock', toolUseBlock.partial({ input: true })),
  ]),
);
const stopReason = z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use']);

/** llama-server omits `cache_creation_input_tokens` and all newer counts. */
const usage = component(
  'MessageUsage',
  z.strictObject({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count.nullable().optional(),
  }),
);

/** Anthropic's message as a JSON response. */
export const anthropicMessage = z.strictObject({
  id: z.string().regex(/^msg_\w+$/),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string().min(1),
  content: z.array(contentBlock),
  stop_reason: stopReason,
  stop_sequence: z.string().nullable(),
  usage,
});

const startedMessage = component(
  'StartedMessage',
  anthropicMessage.extend({ content: z.array(z.never()), stop_reason: z.null() }),
);

const delta = component(
  'BlockDelta',
  z.discriminatedUnion('type', [
    component('TextDelta', z.strictObject({ type: z.literal('text_delta'), text: z.string() })),
    component('ThinkingDelta', z.strictObject({ type: z.literal('thinking_delta'), thinking: z.string() })),
    component(
      'SignatureDelta',
      z.strictObject({ type: z.literal('signature_delta'), signature: z.string() }),
    ),
    component(
      'InputJsonDelta',
      z.strictObject({ type: z.literal('input_json_delta'), partial_json: z.string() }),
    ),
  ]),
);

const anthropicErrorObject = component(
  'AnthropicErrorObject',
  z.strictObject({
    type: z.string().regex(/_error$|^request_too_large$/),
    message: z.string().min(1),
  }),
);

/** One event of its stream. */
export const anthropicEvent = z.discriminatedUnion('type', [
  component(
    'MessageStartEvent',
    z.strictObject({ type: z.literal('message_start'), message: startedMessage }),
  ),
  component(
    'ContentBlockStartEvent',
    z.strictObject({ type: z.literal('content_block_start'), index: count, content_block: startedBlock }),
  ),
  component(
    'ContentBlockDeltaEvent',
    z.strictObject({ type: z.literal('content_block_delta'), index: count, delta }),
  ),
  component('ContentBlockStopEvent', z.strictObject({ type: z.literal('content_block_stop'), index: count })),
  component(
    'MessageDeltaEvent',
    z.strictObject({
      type: z.literal('message_delta'),
      delta: z.strictObject({ stop_reason: stopReason, stop_sequence: z.string().nullable() }),
      /** Only the output, unless the request was converted to a chat: then the input is known only at the end. */
      usage: usage.partial({ input_tokens: true }),
    }),
  ),
  component('MessageStopEvent', z.strictObject({ type: z.literal('message_stop') })),
  component('PingEvent', z.strictObject({ type: z.literal('ping') })),
  component('MessageErrorEvent', z.strictObject({ type: z.literal('error'), error: anthropicErrorObject })),
]);

export const anthropicError = z.strictObject({
  type: z.literal('error'),
  error: anthropicErrorObject,
  request_id: z.string().min(1),
});

export const anthropicTokenCount = z.strictObject({ input_tokens: z.int().positive() });
