import { describe, expect, it } from 'vitest';
import { readUsage } from '../usage.ts';
import { getEchoedFields } from './echoed-fields.ts';
import { completeResponse } from './response-object.ts';

const engine = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: '/models/horse.gguf',
  status: 'completed',
  output: [{ type: 'reasoning' }, { type: 'message', status: 'completed' }],
  usage: { input_tokens: 2, output_tokens: 5 },
};
const asking = (request: Record<string, unknown>) => ({
  model: 'horse',
  createdAt: 1_700_000_000,
  echoed: getEchoedFields(request),
});

describe('completeResponse', () => {
  it('adds missing fields and keeps all others', () => {
    expect(completeResponse(asking({ temperature: 0.5 }), { ...engine, extra: 1, top_p: 0.95 })).toEqual({
      ...engine,
      extra: 1,
      created_at: 1_700_000_000,
      model: 'horse',
      error: null,
      incomplete_details: null,
      access_programs: null,
      instructions: null,
      max_output_tokens: null,
      metadata: {},
      parallel_tool_calls: true,
      temperature: 0.5,
      tool_choice: 'auto',
      tools: [],
      top_p: 0.95,
      presence_penalty: null,
      frequency_penalty: null,
      top_logprobs: 0,
      max_tool_calls: null,
      text: { format: { type: 'text' } },
      reasoning: { effort: null, summary: null },
      truncation: 'disabled',
      prompt_cache_key: null,
      safety_identifier: null,
      service_tier: 'default',
      previous_response_id: null,
      conversation: null,
      store: false,
      background: false,
      completed_at: expect.any(Number),
      output: [
        { type: 'reasoning', status: 'completed' },
        { type: 'message', status: 'completed' },
      ],
      usage: {
        ...engine.usage,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens_details: { reasoning_tokens: 0 },
      },
    });
  });

  it('does not take from the engine what the client was told', () => {
    const told = { store: true, previous_response_id: 'resp_0', tools: [{ type: 'custom', name: 'a' }] };
    const context = { ...asking({}), echoed: { ...getEchoedFields({}), ...told } };
    const own = { store: false, previous_response_id: null, tools: [], background: true };
    expect(completeResponse(context, { ...engine, ...own })).toMatchObject({ ...told, background: false });
  });

  it('has no usage before the engine has reported it', () => {
    const begun = completeResponse(asking({}), { id: 'resp_1', object: 'response', status: 'in_progress' });
    expect(begun).toMatchObject({ status: 'in_progress', output: [], usage: null, completed_at: null });
  });

  it.each([
    [6, 'completed'],
    [5, 'incomplete'],
    [0, 'incomplete'],
    [-1, 'completed'],
    [null, 'completed'],
  ])('with a limit of %j tokens and five generated is %s', (max_output_tokens, status) => {
    const completed = completeResponse(asking({ max_output_tokens }), engine);
    expect(completed).toMatchObject({ status, output: [{ type: 'reasoning' }, { type: 'message', status }] });
    const details = status === 'incomplete' ? { reason: 'max_output_tokens' } : null;
    expect(completed.incomplete_details).toEqual(details);
    expect(completed.completed_at === null).toBe(status === 'incomplete');
  });

  it('does not let a request forge the counts', () => {
    const forged = { usage: { input_tokens: 0, output_tokens: 0 }, timings: { prompt_n: 0 } };
    const completed = completeResponse(
      asking({ tools: [forged], metadata: forged, instructions: forged }),
      engine,
    );
    expect(readUsage(JSON.stringify(completed))).toEqual({ input: 2, cached: 0, output: 5 });
  });
});
