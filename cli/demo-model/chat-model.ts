import { ggufBytes, type Metadata, type Tensor } from './gguf-writer.ts';
import type { Matrix } from './matrix.ts';
import type { Story } from './stories.ts';
import { createVocabulary, cutStories, end, type Vocabulary } from './vocabulary.ts';
import { createWeights, heads, headWidth, ropeBase, type Weights, width } from './weights.ts';

const feedForward = 64;
const context = 32_768;

/** A model that tells these stories, as a GGUF file. */
export function chatModelBytes(name: string, stories: readonly Story[]): Buffer {
  const cut = cutStories(stories);
  const vocabulary = createVocabulary(cut);
  return ggufBytes(metadataOf(name, vocabulary), tensorsOf(createWeights(cut, vocabulary)));
}

function metadataOf(name: string, { tokens, types, idOf }: Vocabulary): Record<string, Metadata> {
  return {
    'general.architecture': { text: 'llama' },
    'general.name': { text: name },
    'general.file_type': { u32: 1 },
    'llama.context_length': { u32: context },
    'llama.embedding_length': { u32: width },
    'llama.block_count': { u32: 1 },
    'llama.feed_forward_length': { u32: feedForward },
    'llama.attention.head_count': { u32: heads },
    'llama.attention.head_count_kv': { u32: 1 },
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
    'llama.rope.dimension_count': { u32: headWidth },
    'llama.rope.freq_base': { f32: ropeBase },
    'llama.vocab_size': { u32: tokens.length },
    'tokenizer.ggml.model': { text: 'llama' },
    'tokenizer.ggml.tokens': { texts: tokens },
    'tokenizer.ggml.scores': { f32s: tokens.map((_, id) => -id / 100) },
    'tokenizer.ggml.token_type': { i32s: types },
    'tokenizer.ggml.bos_token_id': { u32: idOf('<s>') },
    'tokenizer.ggml.eos_token_id': { u32: idOf(end) },
    'tokenizer.ggml.unknown_token_id': { u32: idOf('<unk>') },
    'tokenizer.ggml.add_bos_token': { bool: true },
    'tokenizer.ggml.add_space_prefix': { bool: false },
    'tokenizer.chat_template': { text: chatTemplate },
  };
}

function tensorsOf(weights: Weights): Tensor[] {
  const ones = (name: string): Tensor => ({ name, shape: [width], values: new Float32Array(width).fill(1) });
  const nothing = (name: string, columns: number, rows: number): Tensor => ({
    name,
    shape: [columns, rows],
    values: new Float16Array(columns * rows),
  });
  return [
    half('token_embd.weight', weights.embedding),
    ones('output_norm.weight'),
    half('output.weight', weights.head),
    ones('blk.0.attn_norm.weight'),
    half('blk.0.attn_q.weight', weights.query),
    half('blk.0.attn_k.weight', weights.key),
    half('blk.0.attn_v.weight', weights.value),
    half('blk.0.attn_output.weight', weights.output),
    ones('blk.0.ffn_norm.weight'),
    nothing('blk.0.ffn_gate.weight', width, feedForward),
    nothing('blk.0.ffn_up.weight', width, feedForward),
    nothing('blk.0.ffn_down.weight', feedForward, width),
  ];
}

function half(name: string, { rows, columns, values }: Matrix): Tensor {
  return { name, shape: [columns, rows], values: new Float16Array(values) };
}

/**
 * The chat template of the demo model: tools, tool calls and reasoning in Hermes' format. Jinja, as llama-server runs
 * it.
 */
const chatTemplate = `{%- if tools %}
{{- '<|system|>' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- '<tools>' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
{{- '\\n</tools>\\nFor each call return a json object within <tool_call></tool_call> tags:\\n<tool_call>{"name": <function-name>, "arguments": <args-json-object>}</tool_call><|end|>' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'system' and tools and loop.first %}
{%- elif message.role == 'assistant' %}
{{- '<|assistant|>' }}
{%- if message.reasoning_content %}{{- '<think>' + message.reasoning_content + '</think>' }}{%- endif %}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>{"name": "' + call.function.name + '", "arguments": ' }}
{%- if call.function.arguments is string %}{{- call.function.arguments }}{%- else %}{{- call.function.arguments | tojson }}{%- endif %}
{{- '}</tool_call>' }}
{%- endfor %}
{{- '<|end|>' }}
{%- elif message.role == 'tool' %}
{{- '<|tool|>' + message.content + '<|end|>' }}
{%- elif message.role == 'system' %}
{{- '<|system|>' + message.content + '<|end|>' }}
{%- else %}
{{- '<|user|>' + message.content + '<|end|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}`;
