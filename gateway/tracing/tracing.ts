import type { Log } from '../../log/create-log.ts';
import type { TraceConfig } from '../config.ts';
import type { Tracing } from './otlp-tracing.ts';

/** OpenTelemetry is loaded only if traces are configured, as it takes memory. */
export async function createTracing(config: TraceConfig | undefined, log: Log): Promise<Tracing | undefined> {
  if (config === undefined) return undefined;
  const { createOtlpTracing } = await import('./otlp-tracing.ts');
  const tracing = await createOtlpTracing(config, log);
  // Only the origin is logged: the path or query may contain a token.
  log.info({ collector: new URL(config.url).origin, sampler: config.sampler }, 'tracing enabled');
  return tracing;
}
