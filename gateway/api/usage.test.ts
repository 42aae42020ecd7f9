import { describe, expect, it } from 'vitest';
import { readFinishReason, readUsage } from './usage.ts';

describe('readUsage', () => {
  it('reads the timings of a stream whose client did not ask for usage', () => {
    const ends =
      'data: {"choices":[{"finish_reason":"stop","delta":{}}],"timings":{"cache_n":5,"prompt_n":1,"predicted_n":15}}\n\n';
    expect(readUsage(ends)).toEqual({ input: 6, cached: 5, output: 15 });
    expect(readFinishReason(ends)).toBe('stop');
  });

  it('reads the usage of OpenAI and Responses with nested details', () => {
    const openai =
      '{"usage":{"completion_tokens":2,"prompt_tokens":6,"prompt_tokens_details":{"cached_tokens":5}}}';
    const responses =
      '{"usage":{"input_tokens":6,"output_tokens":2,"input_tokens_details":{"cached_tokens":5}}}';
    expect(readUsage(openai)).toEqual({ input: 6, cached: 5, output: 2 });
    expect(readUsage(responses)).toEqual({ input: 6, cached: 5, output: 2 });
  });

  it('combines the counts at the start and at the end of an Anthropic stream', () => {
    const start =
      '{"type":"message_start","message":{"usage":{"cache_read_input_tokens":5,"input_tokens":1,"output_tokens":0}}}';
    const end = '{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":2}}';
    expect(readUsage(`${start}\n\n${end}`)).toEqual({ input: 6, cached: 5, output: 2 });
    expect(readFinishReason(`${start}\n\n${end}`)).toBe('max_tokens');
  });

  it('ignores a generated text that looks like usage', () => {
    const spoken = JSON.stringify({
      content: '"usage":{"prompt_tokens":99} "timings":{"prompt_n":9,"predicted_n":9}',
    });
    expect(readUsage(spoken)).toBeUndefined();
  });
});
