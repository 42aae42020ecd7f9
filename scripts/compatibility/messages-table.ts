import { row, type Table } from './row.ts';

const user = { role: 'user', content: 'hi' };
const tools = [{ name: 'a', input_schema: { type: 'object' } }];
const userMessage = (block: object) => ({ messages: [{ role: 'user', content: [block] }] });
const assistantMessage = (...blocks: object[]) => ({
  messages: [user, { role: 'assistant', content: blocks }, user],
});
const use = { type: 'tool_use', id: '1', name: 'a', input: {} };
const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: 'x' }] };
const text = { type: 'text', text: 'x' };
const format = { type: 'json_schema', schema: { type: 'object' } };

export const messagesTable: Table = {
  title: '`/v1/messages`, `/v1/messages/count_tokens`',
  note: 'Both routes read a request in the same way, so the counted prompt is the one that is served.',
  rows: [
    row(
      'messages model max_tokens temperature top_p top_k stop_sequences stream system thinking',
      'supported',
      '`thinking` with `budget_tokens`; its other types leave thinking to the model. Messages with the role `system` go to the chat template unchanged.',
      { thinking: { type: 'enabled', budget_tokens: 9 }, system: 'be kind' },
    ),
    row(
      'system',
      'converted',
      "Claude Code's line `x-anthropic-billing-header: …` is removed: it differs in every request, and nothing behind it would come from the cache.",
      {
        system: [{ type: 'text', text: 'x-anthropic-billing-header: cch=1;' }, text],
      },
    ),
    row(
      'billing_policy cache_control citations compaction container context_management diagnostics fallback_credit_token fallbacks inference_geo metadata service_tier speed thread betas user_profile_id workspace_id is_error',
      'ignored',
      'They control services of Anthropic around the model. llama-server caches every prompt without being asked.',
      { cache_control: { type: 'ephemeral' }, context_management: { edits: [] }, metadata: { user_id: 'x' } },
    ),
    row(
      'output_config output_format',
      'converted',
      'Their `format`: the request is converted to a chat, and its response back to a message. `effort` is ignored. Together with tools: as in a chat.',
      { output_config: { format } },
      { output_format: format },
    ),
    row(
      'tools',
      'supported',
      'Tools with a schema, and tools that Anthropic defines and the client runs (`bash_…`, `text_editor_…`, `computer_…`, `memory_…`): the latter have no parameters.',
      { tools },
    ),
    row(
      'mcp_servers web_search web_fetch code_execution tool_search_tool mcp_toolset',
      'dropped',
      'Tools that run at Anthropic. The model is not offered them, and `x-corral-dropped-tools` lists them.',
      { mcp_servers: [{ type: 'url', url: 'https://x' }] },
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    ),
    row(
      'min_p repeat_penalty frequency_penalty presence_penalty seed logit_bias reasoning_effort grammar',
      'converted',
      "llama-server's own fields for chats: the request is converted to a chat, and its response back. The same for its other parameters of sampling.",
      { min_p: 0.1 },
      { repeat_penalty: 1.1, seed: 7 },
    ),
    row('tool_choice', 'supported', '`auto`, `any`.', { tools, tool_choice: { type: 'any' } }),
    row(
      'tool_choice',
      'converted',
      '`tool`: the other tools are not offered. `none`: no tools are offered. Both change the start of the prompt. `disable_parallel_tool_use`: the request is converted to a chat, which has such a field.',
      { tools: [...tools, { name: 'b', input_schema: {} }], tool_choice: { type: 'tool', name: 'a' } },
      { tools, tool_choice: { type: 'none' } },
      { tools, tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    ),
    row(
      'text image thinking tool_use tool_result',
      'supported',
      'Images as base64, or by URL where `ALLOW_REMOTE_MEDIA` is set.',
      assistantMessage(text),
      {
        messages: [user, { role: 'assistant', content: [use] }, result],
      },
    ),
    row(
      'tool_use tool_result',
      'converted',
      'Damaged and missing ones are repaired as in a chat (`x-corral-repaired`). Results are moved before the text of their turn.',
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
      'converted',
      'With text, also in a tool result: the model reads the text between tags, with title, context and source.',
      userMessage({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }),
      userMessage({ type: 'search_result', title: 'a', source: 'b', content: [text] }),
    ),
    row(
      'document',
      'rejected',
      'Files: PDF, by URL, by `file_id`. Send the text, or the pages as images.',
      userMessage({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'x' } }),
      userMessage({ type: 'document', source: { type: 'file', file_id: 'x' } }),
    ),
    row(
      'tool_reference compaction',
      'converted',
      'They become text: the name of the tool (which is offered like all others), and the summary.',
      assistantMessage({ type: 'compaction', content: 'x' }),
    ),
    row(
      'redacted_thinking',
      'converted',
      'Removed: only Anthropic can read it.',
      assistantMessage({ type: 'redacted_thinking', data: 'x' }, text),
    ),
    row(
      'server_tool_use mcp_tool_use web_search_tool_result web_fetch_tool_result code_execution_tool_result bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result mcp_tool_result',
      'converted',
      'Tools that ran at Anthropic, in a conversation that began there: they become a call and its result as text, without encrypted parts.',
      assistantMessage(
        { type: 'server_tool_use', id: '1', name: 'web_search', input: {} },
        { type: 'web_search_tool_result', tool_use_id: '1', content: [] },
      ),
    ),
    row(
      'container_upload',
      'rejected',
      'And every other type of block, so that nothing is lost silently.',
      userMessage({ type: 'container_upload', file_id: 'x' }),
      userMessage({ type: 'something_new' }),
    ),
  ],
};
