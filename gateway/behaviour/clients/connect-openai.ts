import OpenAI, { type ClientOptions } from 'openai';
import { expect, onTestFinished } from 'vitest';
import type { Demo } from '../../../scripts/harness/start-demo.ts';
import { type RecordedTraffic, recordTraffic } from '../../../scripts/harness/watch-wire.ts';

/** An OpenAI client whose every answer is held against the strict schemas when the test ends. */
export function connectOpenAI(
  { baseURL, apiKey }: Pick<Demo, 'baseURL' | 'apiKey'>,
  options: ClientOptions = {},
): { openai: OpenAI; wire: RecordedTraffic } {
  const wire = recordTraffic();
  onTestFinished(() => expect(wire.violations).toEqual([]));
  return { openai: new OpenAI({ baseURL, apiKey, fetch: wire.fetch, maxRetries: 0, ...options }), wire };
}
