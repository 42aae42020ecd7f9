import { choice, flag, fraction, type Kind, list, milliseconds, url } from './kinds.ts';
import { optional, required } from './variable.ts';

/** Standard variables that clusters set for all programs: an invalid one does not prevent the start. */
const shared = true;

/** The only exporter here is otlp; `none` turns tracing off. */
const exporter: Kind<'otlp' | 'none'> = {
  expected: 'otlp or none',
  parse(text) {
    const words = (list.parse(text.toLowerCase()) ?? []).filter((word) => word !== 'otlp_http');
    if (words.includes('otlp') || words.length === 0) return 'otlp';
    return words.every((word) => word === 'none') ? 'none' : undefined;
  },
  format: (word) => word,
};

const protocol = {
  ...choice('http/protobuf', 'http/json'),
  expected: 'http/protobuf or http/json (gRPC is not supported)',
};

/** The OpenTelemetry variables that we read. The exporter reads headers, certificates and compression itself. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    'Traces',
    url('http', 'https'),
    'OTLP/HTTP endpoint, such as `http://collector:4318`. Traces are sent to `/v1/traces` below it.',
    { computedDefault: 'tracing is off', shared },
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(
    'Traces',
    url('http', 'https'),
    'Endpoint for traces only. The URL is used unchanged.',
    { shared },
  ),
  OTEL_TRACES_EXPORTER: required(
    'Traces',
    exporter,
    'otlp',
    'Exporter of traces: `otlp`, or `none` to turn tracing off.',
    { shared },
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: required(
    'Traces',
    protocol,
    'http/protobuf',
    'Encoding of traces. gRPC is not supported.',
    { shared },
  ),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: optional('Traces', protocol, 'Encoding for traces only.', {
    computedDefault: '`OTEL_EXPORTER_OTLP_PROTOCOL`',
    shared,
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: required(
    'Traces',
    milliseconds,
    3000,
    'Longest time for one export including its retries, in milliseconds. At shutdown the last export gets no more time than this.',
    { shared },
  ),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: optional(
    'Traces',
    milliseconds,
    'Timeout for traces only, in milliseconds.',
    {
      computedDefault: '`OTEL_EXPORTER_OTLP_TIMEOUT`',
      shared,
    },
  ),
  OTEL_TRACES_SAMPLER: required(
    'Traces',
    choice(
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
      'always_on',
      'always_off',
      'traceidratio',
    ),
    'parentbased_always_on',
    'Which requests are traced. The `parentbased` samplers follow the `traceparent` of the client, if it sends one.',
    { shared },
  ),
  OTEL_TRACES_SAMPLER_ARG: required(
    'Traces',
    fraction,
    1,
    'Share of requests that a ratio sampler traces, from 0 to 1.',
    { shared },
  ),
  OTEL_BSP_SCHEDULE_DELAY: required(
    'Traces',
    milliseconds,
    5000,
    'Delay between two exports, in milliseconds.',
    { shared },
  ),
  OTEL_SDK_DISABLED: required('Traces', flag, false, 'Turn tracing off, whatever else is set.', { shared }),
} as const;
