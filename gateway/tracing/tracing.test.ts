import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { createSampler } from './tracing.ts';

const [low, high] = [`${'0'.repeat(31)}1`, `${'f'.repeat(8)}${'0'.repeat(24)}`];

/** Whether traces are sampled: without a parent (high and low id), with a sampled one, with an unsampled one. */
function sampledTraces(...[name, ratio]: Parameters<typeof createSampler>) {
  const decide = (traceId: string, traceFlags: number | undefined) => {
    const parent = { traceId, spanId: '1'.repeat(16), traceFlags: traceFlags ?? 0, isRemote: true };
    const context = traceFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const sampled = createSampler(name, ratio).shouldSample(
      context,
      traceId,
      'request',
      SpanKind.SERVER,
      {},
      [],
    );
    return sampled.decision === SamplingDecision.RECORD_AND_SAMPLED;
  };
  return [decide(high, undefined), decide(low, undefined), decide(high, 1), decide(low, 0)];
}

describe('createSampler', () => {
  it.each([
    ['always_on', [true, true, true, true]],
    ['always_off', [false, false, false, false]],
    ['traceidratio', [false, true, false, true]],
    ['parentbased_always_on', [true, true, true, false]],
    ['parentbased_always_off', [false, false, true, false]],
    ['parentbased_traceidratio', [false, true, true, false]],
  ] as const)('%s', (name, expected) => {
    expect(sampledTraces(name, 0.5)).toEqual(expected);
  });
});
