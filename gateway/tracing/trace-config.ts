import type { Settings } from '../../settings/variables.ts';

export interface TraceConfig {
  /** Where OTLP/HTTP takes traces. */
  readonly url: string;
  readonly protocol: Settings['OTEL_EXPORTER_OTLP_PROTOCOL'];
  readonly sampler: Settings['OTEL_TRACES_SAMPLER'];
  /** The part of the traces that a sampler by ratio keeps, 0 to 1. */
  readonly ratio: number;
  /** How long spans are gathered, ms. */
  readonly gatherMs: number;
  /** For one sending with its retries, ms. */
  readonly timeoutMs: number;
}

/** Undefined where no traces are wanted. */
export function traceConfig(settings: Settings): TraceConfig | undefined {
  const url = settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? below(settings.OTEL_EXPORTER_OTLP_ENDPOINT);
  if (url === undefined || settings.OTEL_SDK_DISABLED || settings.OTEL_TRACES_EXPORTER === 'none')
    return undefined;
  return {
    url,
    protocol: settings.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? settings.OTEL_EXPORTER_OTLP_PROTOCOL,
    sampler: settings.OTEL_TRACES_SAMPLER,
    ratio: settings.OTEL_TRACES_SAMPLER_ARG,
    gatherMs: settings.OTEL_BSP_SCHEDULE_DELAY,
    timeoutMs: settings.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? settings.OTEL_EXPORTER_OTLP_TIMEOUT,
  };
}

/** As OpenTelemetry has it: the endpoint of all signals is a base, that of traces alone is taken as it is. */
function below(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}
