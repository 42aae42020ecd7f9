import { row, type Table } from './row.ts';

const user = { role: 'user', content: 'hi' };
const tools = [{ name: 'a', input_schema: { type: 'object' } }];
const shows = (block: object) => ({ messages: [{ role: 'user', content: [block] }] });
const said = (...blocks: object[]) => ({ messages: [user, { role: 'assistant', content: blocks }, user] });
const use = { type: 'tool_use', id: '1', name: 'a', input: {} };
const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: 'x' }] };
const text = { type: 'text', text: 'x' };
const format = { type: 'json_schema', schema: { type: 'object' } };

export const messagesTable: Table = {
  title: '`/v1/messages`, `/v1/messages/count_tokens`',
  about: 'Both are read alike, so what is counted is what is served.',
  rows: [
    row(
      'messages model max_tokens temperature top_p top_k stop_sequences stream system thinking',
      'carried',
      '`thinking` with its `budget_tokens`; other kinds leave it to the model. Messages of the role `system` go to the template as they are.',
      { thinking: { type: 'enabled', budget_tokens: 9 }, system: 'be kind' },
    ),
    row(
      'system',
      'bridged',
      'Without the line `x-anthropic-billing-header: …` of Claude Code, which differs in every request and would keep all behind it out of the cache.',
      {
        system: [{ type: 'text', text: 'x-anthropic-billing-header: cch=1;' }, text],
      },
    ),
    row(
      'billing_policy cache_control citations compaction container context_management diagnostics fallback_credit_token fallbacks inference_geo metadata service_tier speed thread betas user_profile_id workspace_id is_error',
      'no effect',
      'They steer what Anthropic has beside the model. llama-server caches every prompt by itself.',
      { cache_control: { type: 'ephemeral' }, context_management: { edits: [] }, metadata: { user_id: 'x' } },
    ),
    row(
      'output_config output_format',
      'bridged',
      'Their `format`: the request is served as a chat, and its answer worded back. `effort` has no effect. Beside tools that may be called, as in a chat.',
      { output_config: { format } },
      { output_format: format },
    ),
    row(
      'tools',
      'carried',
      'Tools with a schema of their own, and those that Anthropic has named and the client runs (`bash_…`, `text_editor_…`, `computer_…`, `memory_…`): these without parameters.',
      { tools },
    ),
    row(
      'mcp_servers web_search web_fetch code_execution tool_search_tool mcp_toolset',
      'told',
      'Tools that run at Anthropic: the model is told of none of them, and `x-corral-dropped-tools` names them.',
      { mcp_servers: [{ type: 'url', url: 'https://x' }] },
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    ),
    row('tool_choice', 'carried', '`auto`, `any`.', { tools, tool_choice: { type: 'any' } }),
    row(
      'tool_choice',
      'bridged',
      '`tool`: the others are not offered; `none`: none are. Either changes how the prompt begins. `disable_parallel_tool_use`: served as a chat, which has such a field.',
      { tools: [...tools, { name: 'b', input_schema: {} }], tool_choice: { type: 'tool', name: 'a' } },
      { tools, tool_choice: { type: 'none' } },
      { tools, tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    ),
    row(
      'text image thinking tool_use tool_result',
      'carried',
      'Images as base64, or by URL where that is allowed.',
      said(text),
      {
        messages: [user, { role: 'assistant', content: [use] }, result],
      },
    ),
    row(
      'tool_use tool_result',
      'bridged',
      'Where they were damaged or lost, as in a chat (`x-corral-repaired`). Results are put before the text of their turn.',
      { messages: [user, { role: 'assistant', content: [{ ...use, input: '{"a": "b' }] }, result] },
      {
        messages: [
          user,
          { role: 'assistant', content: [use] },
          { ...result, content: [...result.content, text] },
        ],
      },
    ),
    row(
      'document search_result',
      'bridged',
      'Those of text, in a tool result too: the model reads the text between marks, with title, context and source.',
      shows({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }),
      shows({ type: 'search_result', title: 'a', source: 'b', content: [text] }),
    ),
    row(
      'document',
      'refused',
      'Files: PDF, by URL, by `file_id`. Send the text, or the pages as images.',
      shows({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'x' } }),
      shows({ type: 'document', source: { type: 'file', file_id: 'x' } }),
    ),
    row(
      'tool_reference compaction',
      'bridged',
      'As a text: the name of the tool, which is offered like all others; the summary.',
      said({ type: 'compaction', content: 'x' }),
    ),
    row(
      'redacted_thinking',
      'bridged',
      'Left out: only Anthropic can read it.',
      said({ type: 'redacted_thinking', data: 'x' }, text),
    ),
    row(
      'server_tool_use mcp_tool_use web_search_tool_result web_fetch_tool_result code_execution_tool_result bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result mcp_tool_result',
      'bridged',
      'What ran at Anthropic, in a conversation that began there: a call and its result, as text, without what is encrypted.',
      said(
        { type: 'server_tool_use', id: '1', name: 'web_search', input: {} },
        { type: 'web_search_tool_result', tool_use_id: '1', content: [] },
      ),
    ),
    row(
      'container_upload tool_reference',
      'refused',
      'And every other type of block, so that nothing is lost without a word.',
      shows({ type: 'container_upload', file_id: 'x' }),
      shows({ type: 'something_new' }),
    ),
  ],
};
