import type { Settings } from './variables.ts';

/** Where traces are sent, and which. */
export interface TraceConfig {
  /** The OTLP/HTTP endpoint for traces. */
  readonly url: string;
  readonly protocol: Settings['OTEL_EXPORTER_OTLP_PROTOCOL'];
  readonly sampler: Settings['OTEL_TRACES_SAMPLER'];
  /** The fraction of traces kept by a ratio sampler, 0 to 1. */
  readonly ratio: number;
  /** How long spans are collected before they are sent, ms. */
  readonly batchDelayMs: number;
  /** For one export including its retries, ms. */
  readonly timeoutMs: number;
}

/** Undefined if requests are not to be traced. */
export function traceConfig(settings: Settings): TraceConfig | undefined {
  const url =
    settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? appendTracePath(settings.OTEL_EXPORTER_OTLP_ENDPOINT);
  if (url === undefined || settings.OTEL_SDK_DISABLED || settings.OTEL_TRACES_EXPORTER === 'none')
    return undefined;
  return {
    url,
    protocol: settings.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? settings.OTEL_EXPORTER_OTLP_PROTOCOL,
    sampler: settings.OTEL_TRACES_SAMPLER,
    ratio: settings.OTEL_TRACES_SAMPLER_ARG,
    batchDelayMs: settings.OTEL_BSP_SCHEDULE_DELAY,
    timeoutMs: settings.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? settings.OTEL_EXPORTER_OTLP_TIMEOUT,
  };
}

/** By OpenTelemetry's specification the endpoint for all signals is a base; only the one for traces is used unchanged. */
function appendTracePath(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}
