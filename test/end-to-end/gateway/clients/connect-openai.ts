import OpenAI, { type ClientOptions } from 'openai';
import { expect, onTestFinished } from 'vitest';
import { type RecordedTraffic, recordTraffic } from '../../../harness/record-traffic.ts';
import type { Demo } from '../../../harness/start-demo.ts';

/** An OpenAI client. All its responses are checked with the strict schemas when the test ends. */
export function connectOpenAI(
  { baseURL, apiKey }: Pick<Demo, 'baseURL' | 'apiKey'>,
  options: ClientOptions = {},
): { openai: OpenAI; wire: RecordedTraffic } {
  const wire = recordTraffic();
  onTestFinished(() => expect(wire.violations).toEqual([]));
  return { openai: new OpenAI({ baseURL, apiKey, fetch: wire.fetch, maxRetries: 0, ...options }), wire };
}
