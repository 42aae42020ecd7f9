import type { IncomingHttpHeaders } from 'node:http';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Log } from '../../log/create-log.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { TraceConfig } from '../../settings/trace-config.ts';
import { apiRoutes } from '../api/route-table.ts';
import type { RequestRecord, RequestTrace } from '../proxy/request-record.ts';
import { SpanTrace } from './span-trace.ts';

/** Traces requests with OpenTelemetry. */
export interface Tracing {
  /** Undefined for requests that are not API requests: probes, pages, unknown paths. */
  readonly startTrace: (record: RequestRecord, headers: IncomingHttpHeaders) => RequestTrace | undefined;
  /** Exports the remaining spans, or drops them when the export times out. */
  close(): Promise<void>;
}

/** Each path that is sent to the backend, and the first path of its route. */
const routes = new Map(apiRoutes.flatMap(({ paths }) => paths.map((path) => [path, paths[0] ?? path])));

/**
 * Exports traces over OTLP/HTTP. At most 2048 spans are buffered and exported 512 at a time; if the collector is slow or
 * unreachable, further spans are dropped. No request waits for the collector.
 *
 * This module loads OpenTelemetry, so it is imported only if traces are configured.
 */
export async function createTracing(config: TraceConfig, log: Log): Promise<Tracing> {
  const exporter = new LoggingExporter(await createExporter(config), log);
  const provider = new TracerProvider({
    resource: createResource(),
    sampler: createSampler(config.sampler, config.ratio),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: config.batchDelayMs })],
  });
  // Only the origin is logged: the path or query may contain a token.
  log.info({ collector: new URL(config.url).origin, sampler: config.sampler }, 'tracing enabled');
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

/** The exporter itself reads OpenTelemetry's variables for headers, certificates and compression. */
async function createExporter({ protocol, url, timeoutMs }: TraceConfig): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url, timeoutMillis: timeoutMs });
}

/** The operator's `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` take precedence over our values. */
function createResource() {
  const ours = { 'service.name': packageFile.name, 'service.version': packageFile.version };
  return defaultResource()
    .merge(resourceFromAttributes(ours))
    .merge(detectResources({ detectors: [envDetector] }));
}

/** By OpenTelemetry's names for samplers. */
export function createSampler(name: TraceConfig['sampler'], ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}

/** Logs once when exports start to fail, and once when they succeed again. */
class LoggingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Log;
  #lost = 0;

  constructor(exporter: SpanExporter, log: Log) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      this.#onResult(spans.length, result);
      // Without the error, which the SDK would log again with text from the collector.
      done({ code: result.code });
    });
  }

  #onResult(spans: number, { code, error }: ExportResult): void {
    const lost = this.#lost;
    this.#lost = code === ExportResultCode.SUCCESS ? 0 : lost + spans;
    if (lost === 0 && this.#lost > 0)
      this.#log.warn(
        { reason: getReason(error) },
        'trace export failed: the collector does not accept spans',
      );
    if (lost > 0 && this.#lost === 0) this.#log.info({ lost }, 'trace export recovered');
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

/** A status or an error code of Node, never text from the collector. */
function getReason(error: unknown): string {
  const { code } = (error ?? {}) as { code?: string | number };
  return code === undefined ? 'timeout' : String(code);
}
