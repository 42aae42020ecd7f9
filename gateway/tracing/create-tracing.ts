import type { Log } from '../../log/create-log.ts';
import type { TraceConfig } from '../config.ts';
import type { Tracing } from './tracing.ts';

/** OpenTelemetry is loaded only where traces are wanted: nobody else pays for its memory. */
export async function createTracing(config: TraceConfig | undefined, log: Log): Promise<Tracing | undefined> {
  if (config === undefined) return undefined;
  const { createOtlpTracing } = await import('./otlp-tracing.ts');
  const tracing = await createOtlpTracing(config, log);
  // The origin alone: the rest of an address may hold a token.
  log.info({ collector: new URL(config.url).origin, sampler: config.sampler }, 'requests are traced');
  return tracing;
}
