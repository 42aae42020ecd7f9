import { row, type Table } from './row.ts';

const user = { role: 'user', content: 'hi' };
const tools = [{ type: 'function', function: { name: 'a' } }];
const call = (args: unknown) => ({ id: '1', type: 'function', function: { name: 'a', arguments: args } });
const output = { role: 'tool', tool_call_id: '1', content: 'x' };
const messageOf = (part: object) => ({ messages: [{ role: 'user', content: [part] }] });
const schema = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } };

export const chatTable: Table = {
  title: '`/v1/chat/completions`, `/v1/chat/completions/input_tokens`, `/apply-template`',
  note: "llama-server's own fields (`top_k`, `min_p`, `grammar`, `chat_template_kwargs`, …) are supported.",
  rows: [
    row(
      'messages model max_tokens max_completion_tokens temperature top_p frequency_penalty presence_penalty logit_bias seed stop stream stream_options n logprobs top_logprobs response_format reasoning_effort parallel_tool_calls',
      'supported',
      'As llama-server reads them: it accepts an empty `messages`, any role of the chat template and a temperature above 2, and generates one token for `max_tokens: 0`.',
      { temperature: 5, max_tokens: 0 },
      { messages: [] },
    ),
    row(
      'audio metadata moderation prediction prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier service_tier store user verbosity',
      'ignored',
      'They control services of OpenAI around the model. Nothing is stored.',
      { store: true, user: 'x', service_tier: 'flex', metadata: { a: 'b' } },
    ),
    row('tools', 'supported', 'Functions. A `null` in a function, which OpenAI allows, is removed.', {
      tools,
    }),
    row('tool_choice', 'supported', '`auto`, `none`, `required`.', { tools, tool_choice: 'none' }),
    row(
      'tool_choice',
      'converted',
      'A tool by name, or `allowed_tools`: the model is not offered the other tools. So the prompt starts differently than with all tools, and less of it comes from the cache. An unknown name is rejected.',
      {
        tools: [...tools, { type: 'function', function: { name: 'b' } }],
        tool_choice: { type: 'function', function: { name: 'a' } },
      },
    ),
    row(
      'functions function_call',
      'converted',
      'They become tools. The response has `function_call`, streamed or not.',
      {
        functions: [{ name: 'a' }],
        function_call: 'auto',
      },
    ),
    row('custom', 'rejected', 'Tools with free text as input. Use a function with one string parameter.', {
      tools: [{ type: 'custom', custom: { name: 'a' } }],
    }),
    row(
      'response_format',
      'dropped',
      'A schema together with tools: llama-server applies the schema and calls no tool (`x-corral-dropped-tools: function`). Where a tool call is required, the schema is dropped instead.',
      { tools, response_format: schema },
    ),
    row(
      'modalities web_search_options',
      'rejected',
      'Audio output, and web searches by OpenAI.',
      { modalities: ['audio'] },
      { web_search_options: {} },
    ),
    row(
      'text image_url input_audio input_video video_url',
      'supported',
      'Parts of a message, as far as the model supports them.',
      messageOf({ type: 'text', text: 'x' }),
    ),
    row(
      'refusal',
      'converted',
      'As a part and as a field: the text is kept.',
      messageOf({ type: 'refusal', refusal: 'no' }),
      {
        messages: [user, { role: 'assistant', content: null, refusal: 'no' }, user],
      },
    ),
    row(
      'file',
      'rejected',
      'Send the text of the file, or its pages as images.',
      messageOf({ type: 'file', file: { file_id: 'x' } }),
    ),
    row('tool_calls', 'supported', 'Calls in the history, with one JSON object as arguments.', {
      messages: [user, { role: 'assistant', tool_calls: [call('{}')] }, output],
    }),
    row(
      'tool_calls',
      'converted',
      'Arguments that were cut off are completed to a JSON object; other invalid arguments are kept as `{"_unparsed": …}`. The missing output of a call, or the missing call of an output, is added. `x-corral-repaired` counts these repairs. Custom calls become function calls.',
      { messages: [user, { role: 'assistant', tool_calls: [call('{"a": "b')] }, output] },
      { messages: [user, { role: 'assistant', tool_calls: [call('{}')] }, user] },
      { messages: [output] },
    ),
  ],
};

export const completionTable: Table = {
  title: '`/v1/completions`',
  note: '`logprobs` have the same form as in chats.',
  rows: [
    row(
      'prompt model max_tokens temperature top_p frequency_penalty presence_penalty logit_bias logprobs seed stop stream stream_options n',
      'supported',
      'As llama-server reads them.',
      { prompt: 'x', n: 2 },
    ),
    row('user', 'ignored', '', { prompt: 'x', user: 'y' }),
    row(
      'suffix echo best_of',
      'rejected',
      'llama-server ignores them. `best_of` is accepted up to `n`, where it changes nothing.',
      { suffix: 'x' },
      { echo: true },
      { best_of: 2 },
    ),
  ],
};
