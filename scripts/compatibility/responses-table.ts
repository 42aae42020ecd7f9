import { row, type Table } from './row.ts';

const user = { role: 'user', content: 'hi' };
const tools = [{ type: 'function', name: 'a' }];
const has = (...items: object[]) => ({ input: [user, ...items] });
const asked = { type: 'function_call', call_id: '1', name: 'a', arguments: '{}' };
const told = { type: 'function_call_output', call_id: '1', output: 'x' };
const schema = { type: 'json_schema', name: 'x', schema: { type: 'object' } };

export const responsesTable: Table = {
  title: '`/v1/responses`, `/v1/responses/input_tokens`',
  about: 'The answer repeats `tools` and `tool_choice` as the client gave them.',
  rows: [
    row(
      'input instructions model max_output_tokens temperature top_p stream stream_options reasoning parallel_tool_calls',
      'carried',
      'Of `reasoning` the `effort`.',
      { instructions: 'be kind', reasoning: { effort: 'low' } },
    ),
    row('text', 'bridged', 'Its `format`, as `response_format`. `verbosity` has no effect.', {
      text: { format: schema },
    }),
    row(
      'access_programs context_management image max_tool_calls metadata moderation prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier service_tier store truncation user',
      'no effect',
      'They steer what OpenAI has beside the model: nothing is stored, and nothing is cut out of what is too long. `metadata` is repeated in the answer.',
      { store: true, truncation: 'auto', metadata: { a: 'b' } },
    ),
    row(
      'previous_response_id conversation background',
      'refused',
      '`store_disabled`: nothing is stored. Send the whole conversation; SDKs do with `store: false`.',
      { previous_response_id: 'resp_1' },
      { conversation: 'conv_1' },
      { background: true },
    ),
    row('prompt', 'refused', 'Prompts that are kept at OpenAI.', { prompt: { id: 'pmpt_1' } }),
    row('include', 'no effect', 'What else there could be is either always there or never.', {
      include: ['reasoning.encrypted_content'],
    }),
    row(
      'include top_logprobs',
      'refused',
      '`message.output_text.logprobs`: llama-server tells log-probabilities on `/v1/chat/completions` alone. `top_logprobs: 0` is taken out.',
      { include: ['message.output_text.logprobs'] },
      { top_logprobs: 2 },
    ),
    row('tools', 'carried', 'Functions. A `null` in one, which OpenAI allows, is taken out.', { tools }),
    row(
      'web_search web_search_preview file_search code_interpreter image_generation mcp computer computer_use_preview local_shell shell apply_patch tool_search programmatic_tool_calling',
      'told',
      'Tools that run at OpenAI, or that are no function: the model is told of none of them, and `x-corral-dropped-tools` names them.',
      { tools: [...tools, { type: 'web_search' }] },
      { tools: [{ type: 'shell' }] },
    ),
    row(
      'custom namespace',
      'bridged',
      'A custom tool is put as a function with one text, whose form (`format`) the model is told of and not held to; the tools of a namespace under both names. The answer calls them as the client gave them.',
      { tools: [{ type: 'custom', name: 'x' }] },
      { tools: [{ type: 'namespace', name: 'x', tools }] },
    ),
    row('tool_choice', 'carried', '`auto`, `none`, `required`.', { tools, tool_choice: 'required' }),
    row(
      'tool_choice',
      'bridged',
      'A function by name, or `allowed_tools`: as in a chat. A tool that is not there is refused.',
      { tools: [...tools, { type: 'function', name: 'b' }], tool_choice: { type: 'function', name: 'a' } },
    ),
    row(
      'message',
      'carried',
      'With `input_text`, `output_text` and `input_image`.',
      has({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] }),
    ),
    row(
      'message',
      'bridged',
      'Without its type; parts without theirs; a `refusal`, as its text.',
      has({ role: 'assistant', content: 'x' }),
      has({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }),
    ),
    row(
      'input_file',
      'refused',
      'And images by `file_id`. Send the text of the file, or its pages as images.',
      {
        input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'x' }] }],
      },
    ),
    row(
      'reasoning',
      'bridged',
      'Its text, else its summary; one that has neither (only `encrypted_content`) is left out.',
      has({ type: 'reasoning', summary: [], encrypted_content: 'x' }),
      has({ type: 'reasoning', summary: [{ type: 'summary_text', text: 'x' }], content: null }),
    ),
    row(
      'function_call function_call_output',
      'carried',
      'Outputs as a text or a list of texts and images.',
      has(asked, told),
    ),
    row(
      'function_call function_call_output',
      'bridged',
      'Where they were damaged or lost, as in a chat (`x-corral-repaired`).',
      has({ ...asked, arguments: '{"a": "b' }, told),
      has(asked, user),
    ),
    row(
      'custom_tool_call custom_tool_call_output local_shell_call local_shell_call_output shell_call shell_call_output apply_patch_call apply_patch_call_output',
      'bridged',
      "Calls of a client's own tools become calls of functions.",
      has(
        { type: 'custom_tool_call', call_id: '1', name: 'a', input: 'x' },
        { ...told, type: 'custom_tool_call_output' },
      ),
      has(
        { type: 'local_shell_call', call_id: '1', action: {} },
        { ...told, type: 'local_shell_call_output' },
      ),
    ),
    row(
      'item_reference',
      'refused',
      'Send the item itself; SDKs do with `store: false`.',
      has({ type: 'item_reference', id: 'msg_1' }),
    ),
    row(
      'web_search_call file_search_call code_interpreter_call image_generation_call computer_call computer_call_output mcp_call mcp_list_tools mcp_approval_request mcp_approval_response tool_search_call tool_search_output compaction compaction_trigger additional_tools program program_output',
      'refused',
      'They tell of what ran at OpenAI. Leave them out, or send what they say as a message.',
      has({ type: 'web_search_call', id: 'ws_1' }),
      has({ type: 'compaction', encrypted_content: 'x' }),
    ),
  ],
};
