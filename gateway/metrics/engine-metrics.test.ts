import { describe, expect, it } from 'vitest';
import { filterEngineMetrics, parseContextUsage } from './engine-metrics.ts';

const slots = (...tokens: (number | undefined)[]) =>
  JSON.stringify(
    tokens.map((n_prompt_tokens) => ({
      n_ctx: 100,
      is_processing: n_prompt_tokens !== undefined,
      n_prompt_tokens,
    })),
  );

describe('the context in use', () => {
  it('is the fraction of all slots filled by running requests', () => {
    expect(parseContextUsage(slots(50, undefined), false)).toBe(0.25);
    expect(parseContextUsage(slots(undefined, undefined), false)).toBe(0);
  });

  it('is measured against one context if the slots share it', () => {
    expect(parseContextUsage(slots(50, 25), true)).toBe(0.75);
    expect(parseContextUsage(slots(80, 80), true)).toBe(1);
  });

  it('does not include finished requests', () => {
    expect(parseContextUsage('[{"n_ctx":100,"is_processing":false,"n_prompt_tokens":60}]', false)).toBe(0);
  });

  it('is undefined for any other response', () => {
    for (const body of ['', '{}', '[]', 'null', '[null]', '{"error":{"code":501}}', '[{"id":0}]']) {
      expect([body, parseContextUsage(body, false)]).toEqual([body, undefined]);
    }
  });
});

const counter = `# HELP llamacpp:n_decode_total Total number of llama_decode() calls
# TYPE llamacpp:n_decode_total counter
llamacpp:n_decode_total 7
`;
const windowed = `# HELP llamacpp:prompt_tokens_seconds Average prompt throughput in tokens/s
# TYPE llamacpp:prompt_tokens_seconds gauge
llamacpp:prompt_tokens_seconds 12.5
`;
const labelled = 'llamacpp:spec_decode_num_accepted_tokens_per_pos_total{position="0"} 3\n';

describe("llama-server's metrics", () => {
  it('are passed on unchanged', () =>
    expect(filterEngineMetrics(counter + labelled)).toBe(counter + labelled));

  it('are dropped if a scrape resets them', () =>
    expect(filterEngineMetrics(windowed + counter)).toBe(counter));

  it('are dropped if they are not its own', () => {
    expect(filterEngineMetrics(`{"error":"no"}\n<html>\nother_total 1\n\n${counter}llamacpp:`)).toBe(counter);
  });
});
