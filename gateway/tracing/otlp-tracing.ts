import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Log } from '../../log/create-log.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { apiRoutes } from '../api/route-table.ts';
import type { TraceConfig } from '../config.ts';
import { LoggingExporter } from './logging-exporter.ts';
import { createSampler } from './sampler.ts';
import { SpanTrace } from './span-trace.ts';
import type { Tracing } from './tracing.ts';

/** Every path that reaches the backend, and the route it belongs to. */
const routes = new Map(apiRoutes.flatMap(({ paths }) => paths.map((path) => [path, paths[0] ?? path])));

/**
 * Traces over OTLP/HTTP. Spans are gathered, at most 2048 of them, and go out 512 at a time; what a slow or absent
 * collector does not take is dropped, and no request ever waits for it.
 */
export async function createOtlpTracing(config: TraceConfig, log: Log): Promise<Tracing> {
  const exporter = new LoggingExporter(await openExporter(config), log);
  const provider = new TracerProvider({
    resource: resource(),
    sampler: createSampler(config.sampler, config.ratio),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: config.gatherMs })],
  });
  const tracer = provider.getTracer(packageFile.name, packageFile.version);
  const propagator = new W3CTraceContextPropagator();
  return {
    startTrace(record, headers) {
      const route = routes.get(record.path);
      return route === undefined ? undefined : new SpanTrace({ tracer, propagator, record, route, headers });
    },
    close: () => provider.shutdown().catch(() => {}),
  };
}

/** Its headers, certificates and compression are those of the variables that OpenTelemetry has for them. */
async function openExporter({ protocol, url, timeoutMs: timeoutMillis }: TraceConfig): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url, timeoutMillis });
}

/** What the operator says of this service (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) goes before what we know. */
function resource() {
  const ours = { 'service.name': packageFile.name, 'service.version': packageFile.version };
  return defaultResource()
    .merge(resourceFromAttributes(ours))
    .merge(detectResources({ detectors: [envDetector] }));
}
