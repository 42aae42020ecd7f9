import { choice, flag, fraction, integer, type Kind, list, url } from './kinds.ts';
import { optional, required } from './variable.ts';

/** They are the standard's, which clusters set for all that runs there: none of them keeps anybody from starting. */
const shared = true;
const mostMs = 1_000_000_000;

/** Of the exporters that the standard knows there is one here; none of them is its word for no traces. */
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

/** Those of OpenTelemetry that we read; its exporter reads headers, certificates and compression by itself. */
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
    'Endpoint for traces only. The URL is used as it is.',
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
    integer(1, mostMs),
    3000,
    'Longest time for one export including its retries, in milliseconds. At shutdown the last export gets no more time than this.',
    { shared },
  ),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: optional(
    'Traces',
    integer(1, mostMs),
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
    integer(1, mostMs),
    5000,
    'Delay between two exports, in milliseconds.',
    { shared },
  ),
  OTEL_SDK_DISABLED: required('Traces', flag, false, 'Turn tracing off, whatever else is set.', { shared }),
} as const;
