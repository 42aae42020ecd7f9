import { row, type Table } from './row.ts';

const user = { role: 'user', content: 'hi' };
const tools = [{ type: 'function', function: { name: 'a' } }];
const call = (args: unknown) => ({ id: '1', type: 'function', function: { name: 'a', arguments: args } });
const output = { role: 'tool', tool_call_id: '1', content: 'x' };
const says = (part: object) => ({ messages: [{ role: 'user', content: [part] }] });
const schema = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } };

export const chatTable: Table = {
  title: '`/v1/chat/completions`, `/v1/chat/completions/input_tokens`, `/apply-template`',
  about:
    'Fields of llama-server itself (`top_k`, `min_p`, `grammar`, `chat_template_kwargs`, …) are carried.',
  rows: [
    row(
      'messages model max_tokens max_completion_tokens temperature top_p frequency_penalty presence_penalty logit_bias seed stop stream stream_options n logprobs top_logprobs response_format reasoning_effort parallel_tool_calls',
      'carried',
      "As llama-server reads them: an empty `messages`, roles of the template's own and a temperature beyond 2 are taken, and `max_tokens: 0` gives one token.",
      { temperature: 5, max_tokens: 0 },
      { messages: [] },
    ),
    row(
      'audio metadata moderation prediction prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier service_tier store user verbosity',
      'no effect',
      'They steer what OpenAI has beside the model. Nothing is stored.',
      { store: true, user: 'x', service_tier: 'flex', metadata: { a: 'b' } },
    ),
    row('tools', 'carried', 'Functions. A `null` in one, which OpenAI allows, is taken out.', { tools }),
    row('tool_choice', 'carried', '`auto`, `none`, `required`.', { tools, tool_choice: 'none' }),
    row(
      'tool_choice',
      'bridged',
      'A tool by name, or `allowed_tools`: the others are not offered. So the prompt begins otherwise than with all tools, and less of it comes from the cache. A name that no tool has is refused.',
      {
        tools: [...tools, { type: 'function', function: { name: 'b' } }],
        tool_choice: { type: 'function', function: { name: 'a' } },
      },
    ),
    row(
      'functions function_call',
      'bridged',
      'Become tools; the answer has its `function_call`, streamed or not.',
      {
        functions: [{ name: 'a' }],
        function_call: 'auto',
      },
    ),
    row(
      'custom',
      'refused',
      'Tools whose input is free text. A function with one string parameter does the same.',
      {
        tools: [{ type: 'custom', custom: { name: 'a' } }],
      },
    ),
    row(
      'response_format',
      'told',
      'A schema beside tools that may be called: llama-server holds the schema and calls no tool (`x-corral-dropped-tools: function`). Where a tool has to be called the schema is left out.',
      { tools, response_format: schema },
    ),
    row(
      'modalities web_search_options',
      'refused',
      'Audio as an answer, and searches that run at OpenAI.',
      { modalities: ['audio'] },
      { web_search_options: {} },
    ),
    row(
      'text image_url input_audio input_video video_url',
      'carried',
      'Parts of a message, as far as the model reads them.',
      says({ type: 'text', text: 'x' }),
    ),
    row(
      'refusal',
      'bridged',
      'Parts of an answer, and its field: the text.',
      says({ type: 'refusal', refusal: 'no' }),
      {
        messages: [user, { role: 'assistant', content: null, refusal: 'no' }, user],
      },
    ),
    row(
      'file',
      'refused',
      'Send the text of the file, or its pages as images.',
      says({ type: 'file', file: { file_id: 'x' } }),
    ),
    row('tool_calls', 'carried', 'Calls in the history, whose arguments are one JSON object.', {
      messages: [user, { role: 'assistant', tool_calls: [call('{}')] }, output],
    }),
    row(
      'tool_calls',
      'bridged',
      'Arguments that are no JSON object are closed where they were cut, else kept as `{"_unparsed": …}`; a call whose output was lost, and an output whose call was lost, get the other. `x-corral-repaired` counts them. Custom calls become calls of a function.',
      { messages: [user, { role: 'assistant', tool_calls: [call('{"a": "b')] }, output] },
      { messages: [user, { role: 'assistant', tool_calls: [call('{}')] }, user] },
      { messages: [output] },
    ),
  ],
};

export const completionTable: Table = {
  title: '`/v1/completions`',
  about: '`logprobs` come in the shape that chats have.',
  rows: [
    row(
      'prompt model max_tokens temperature top_p frequency_penalty presence_penalty logit_bias logprobs seed stop stream stream_options n',
      'carried',
      'As llama-server reads them.',
      { prompt: 'x', n: 2 },
    ),
    row('user', 'no effect', '', { prompt: 'x', user: 'y' }),
    row(
      'suffix echo best_of',
      'refused',
      'llama-server passes over them. `best_of` up to `n` is what `n` says already.',
      { suffix: 'x' },
      { echo: true },
      { best_of: 2 },
    ),
  ],
};
