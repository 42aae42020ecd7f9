import { row, type Table } from './row.ts';

const user = { role: 'user', content: 'hi' };
const tools = [{ type: 'function', name: 'a' }];
const inputOf = (...items: object[]) => ({ input: [user, ...items] });
const call = { type: 'function_call', call_id: '1', name: 'a', arguments: '{}' };
const output = { type: 'function_call_output', call_id: '1', output: 'x' };
const schema = { type: 'json_schema', name: 'x', schema: { type: 'object' } };

export const responsesTable: Table = {
  title: '`/v1/responses`, `/v1/responses/input_tokens`',
  note: 'The response repeats `tools` and `tool_choice` as the client sent them.',
  rows: [
    row(
      'input instructions model max_output_tokens temperature top_p stream stream_options reasoning parallel_tool_calls',
      'supported',
      'Of `reasoning`, only `effort`.',
      { instructions: 'be kind', reasoning: { effort: 'low' } },
    ),
    row('text', 'converted', 'Its `format` becomes `response_format`. `verbosity` is ignored.', {
      text: { format: schema },
    }),
    row(
      'access_programs context_management image max_tool_calls metadata moderation prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier service_tier user',
      'ignored',
      'They control services of OpenAI around the model. The response repeats most of them.',
      { metadata: { a: 'b' } },
    ),
    row(
      'store',
      'ignored',
      'With `STORE=on` it decides whether the response [is kept](conversations.md#responses).',
      { store: true },
    ),
    row(
      'truncation',
      'supported',
      'With `auto`, whole turns are dropped from the front of an input that is too long, then the first calls of the last turn.',
      { truncation: 'auto' },
    ),
    row(
      'previous_response_id conversation background',
      'rejected',
      '`store_disabled`. Send the whole conversation; SDKs do so with `store: false`. With `STORE=on` they [are supported](conversations.md).',
      { previous_response_id: 'resp_1' },
      { conversation: 'conv_1' },
      { background: true },
    ),
    row('prompt', 'rejected', 'Prompts that are stored at OpenAI.', { prompt: { id: 'pmpt_1' } }),
    row('include', 'ignored', 'All other values name fields that are either always or never present.', {
      include: ['reasoning.encrypted_content'],
    }),
    row(
      'include top_logprobs',
      'rejected',
      '`message.output_text.logprobs`: llama-server gives log-probabilities only on `/v1/chat/completions`. `top_logprobs: 0` is removed.',
      { include: ['message.output_text.logprobs'] },
      { top_logprobs: 2 },
    ),
    row('tools', 'supported', 'Functions. A `null` in a function, which OpenAI allows, is removed.', {
      tools,
    }),
    row(
      'web_search web_search_preview file_search code_interpreter image_generation mcp computer computer_use_preview local_shell shell apply_patch tool_search programmatic_tool_calling',
      'dropped',
      'Tools that run at OpenAI, or are not functions. The model is not offered them, and `x-corral-dropped-tools` lists them.',
      { tools: [...tools, { type: 'web_search' }] },
      { tools: [{ type: 'shell' }] },
    ),
    row(
      'custom namespace',
      'converted',
      'A custom tool becomes a function with one text; its `format` is described to the model but not enforced. A tool of a namespace gets a name that contains both names. The response uses the names of the client.',
      { tools: [{ type: 'custom', name: 'x' }] },
      { tools: [{ type: 'namespace', name: 'x', tools }] },
    ),
    row('tool_choice', 'supported', '`auto`, `none`, `required`.', { tools, tool_choice: 'required' }),
    row(
      'tool_choice',
      'converted',
      'A function by name, or `allowed_tools`: as in a chat. An unknown name is rejected.',
      { tools: [...tools, { type: 'function', name: 'b' }], tool_choice: { type: 'function', name: 'a' } },
    ),
    row(
      'message',
      'supported',
      'With `input_text`, `output_text` and `input_image`.',
      inputOf({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] }),
    ),
    row(
      'message',
      'converted',
      'A message or a part without its type gets it; a `refusal` becomes text.',
      inputOf({ role: 'assistant', content: 'x' }),
      inputOf({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }),
    ),
    row(
      'input_file',
      'rejected',
      'Files, and images by `file_id`. Send the text of the file, or its pages as images.',
      {
        input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'x' }] }],
      },
    ),
    row(
      'reasoning',
      'converted',
      'Its text, or else its summary. Reasoning with neither (only `encrypted_content`) is removed.',
      inputOf({ type: 'reasoning', summary: [], encrypted_content: 'x' }),
      inputOf({ type: 'reasoning', summary: [{ type: 'summary_text', text: 'x' }], content: null }),
    ),
    row(
      'function_call function_call_output',
      'supported',
      'Outputs are a text, or a list of texts and images.',
      inputOf(call, output),
    ),
    row(
      'function_call function_call_output',
      'converted',
      'Damaged and missing ones are repaired as in a chat (`x-corral-repaired`).',
      inputOf({ ...call, arguments: '{"a": "b' }, output),
      inputOf(call, user),
    ),
    row(
      'custom_tool_call custom_tool_call_output local_shell_call local_shell_call_output shell_call shell_call_output apply_patch_call apply_patch_call_output',
      'converted',
      "Calls of a client's own tools become function calls.",
      inputOf(
        { type: 'custom_tool_call', call_id: '1', name: 'a', input: 'x' },
        { ...output, type: 'custom_tool_call_output' },
      ),
      inputOf(
        { type: 'local_shell_call', call_id: '1', action: {} },
        { ...output, type: 'local_shell_call_output' },
      ),
    ),
    row(
      'item_reference',
      'rejected',
      'Send the item itself; SDKs do so with `store: false`. With `STORE=on` the stored item takes its place.',
      inputOf({ type: 'item_reference', id: 'msg_1' }),
    ),
    row(
      'code_interpreter_call file_search_call mcp_call computer_call computer_call_output',
      'converted',
      'They become function calls with their outputs. A file search without its results is left out.',
      inputOf({ type: 'mcp_call', id: 'mcp_1', name: 'a', arguments: '{}', output: 'x' }),
      inputOf({ type: 'code_interpreter_call', id: 'ci_1', code: '1', outputs: null }),
    ),
    row(
      'web_search_call image_generation_call mcp_list_tools mcp_approval_request mcp_approval_response tool_search_call tool_search_output program program_output',
      'dropped',
      'Items of tools that ran at OpenAI. What came of them is in the messages; `x-corral-dropped-tools` lists them.',
      inputOf({ type: 'web_search_call', id: 'ws_1' }, user),
      inputOf({ type: 'mcp_list_tools', id: 'mcpl_1' }, user),
    ),
    row(
      'compaction compaction_trigger additional_tools',
      'rejected',
      'Only OpenAI can read them. Send the items that they stand for.',
      inputOf({ type: 'compaction', encrypted_content: 'x' }),
    ),
  ],
};
