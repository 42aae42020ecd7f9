import { describe, expect, it } from 'vitest';
import { engineMetricLines } from './engine-metric-lines.ts';

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
  it('are passed on unchanged', () => expect(engineMetricLines(counter + labelled)).toBe(counter + labelled));

  it('are dropped if a scrape resets them', () =>
    expect(engineMetricLines(windowed + counter)).toBe(counter));

  it('are dropped if they are not its own', () => {
    expect(engineMetricLines(`{"error":"no"}\n<html>\nother_total 1\n\n${counter}llamacpp:`)).toBe(counter);
  });
});
