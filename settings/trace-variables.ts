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
  expected: 'http/protobuf or http/json, as there is no gRPC here',
};

/** Those of OpenTelemetry that we read; its exporter reads headers, certificates and compression by itself. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    'Traces',
    url('http', 'https'),
    'Where OTLP/HTTP is taken, such as `http://collector:4318`; traces go to `/v1/traces` below it.',
    { computedDefault: 'nothing is traced', shared },
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(
    'Traces',
    url('http', 'https'),
    'The same for traces alone, taken as it is.',
    { shared },
  ),
  OTEL_TRACES_EXPORTER: required(
    'Traces',
    exporter,
    'otlp',
    'Where traces go: `none` traces nothing, and there is no exporter but `otlp`.',
    { shared },
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: required(
    'Traces',
    protocol,
    'http/protobuf',
    'How traces are written. There is no gRPC.',
    { shared },
  ),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: optional('Traces', protocol, 'The same for traces alone.', {
    computedDefault: '`OTEL_EXPORTER_OTLP_PROTOCOL`',
    shared,
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: required(
    'Traces',
    integer(1, mostMs),
    3000,
    'The longest time for one sending with its retries, in milliseconds; a stop waits no longer for the last one.',
    { shared },
  ),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: optional('Traces', integer(1, mostMs), 'The same for traces alone.', {
    computedDefault: '`OTEL_EXPORTER_OTLP_TIMEOUT`',
    shared,
  }),
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
    'Which requests are traced; the first three do as the `traceparent` of the client says, if there is one.',
    { shared },
  ),
  OTEL_TRACES_SAMPLER_ARG: required(
    'Traces',
    fraction,
    1,
    'The part of the requests that a sampler by ratio traces, 0 to 1.',
    { shared },
  ),
  OTEL_BSP_SCHEDULE_DELAY: required(
    'Traces',
    integer(1, mostMs),
    5000,
    'How long spans are gathered before they are sent together, in milliseconds.',
    { shared },
  ),
  OTEL_SDK_DISABLED: required('Traces', flag, false, 'Trace nothing, whatever else is set.', { shared }),
} as const;
