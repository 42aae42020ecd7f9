import { describe, expect, it } from 'vitest';
import { readSettings } from './read-settings.ts';
import { traceConfig } from './trace-config.ts';

const configured = (env: Record<string, string>) => traceConfig(readSettings(env).settings);
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('traceConfig', () => {
  it('is undefined if no endpoint is set or tracing is switched off', () => {
    expect(configured({})).toBeUndefined();
    expect(configured({ ...collector, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  });

  it.each([
    ['http://collector:4318', 'http://collector:4318/v1/traces'],
    ['http://collector:4318/', 'http://collector:4318/v1/traces'],
    ['https://host/otlp/?token=a', 'https://host/otlp/v1/traces?token=a'],
  ])('%s is the base of %s', (endpoint, url) => {
    expect(configured({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })?.url).toBe(url);
  });

  it('prefers the endpoint for traces and uses it unchanged', () => {
    const env = { ...collector, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces/in' };
    expect(configured(env)?.url).toBe('https://traces/in');
  });

  it('passes on all other settings', () => {
    expect(configured(collector)).toMatchObject({
      ...{ protocol: 'http/protobuf', sampler: 'parentbased_always_on', ratio: 1, timeoutMs: 3000 },
    });
    const env = { ...collector, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
    expect(configured(env)).toMatchObject({ sampler: 'traceidratio', ratio: 0.25 });
  });
});

describe('cluster-wide OpenTelemetry variables', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_SAMPLER', 'xray'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', 'endpoint=http://a:1'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'otel:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s'],
    ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', '0'],
    ['OTEL_BSP_SCHEDULE_DELAY', '9007199254740992'],
    ['OTEL_TRACES_EXPORTER', 'jaeger'],
    ['OTEL_SDK_DISABLED', 'maybe'],
  ])('%s=%s is a warning, and counts as unset', (name, value) => {
    const { settings, problems, warnings } = readSettings({ ...collector, [name]: value });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(`^${name}: invalid value ".*"; expected .*; ignored$`)]);
    const plain = name === 'OTEL_EXPORTER_OTLP_ENDPOINT' ? {} : collector;
    expect(traceConfig(settings)).toEqual(configured(plain));
  });

  it('variables for traces take precedence over those for all signals', () => {
    const env = {
      ...{
        ...collector,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      },
      ...{ OTEL_EXPORTER_OTLP_TIMEOUT: '1000', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '500' },
    };
    expect(configured(env)).toMatchObject({ protocol: 'http/json', timeoutMs: 500 });
  });

  it.each([
    ['none', false],
    ['NONE', false],
    ['otlp', true],
    ['console,otlp', true],
    ['otlp,none', true],
    ['', true],
    ['zipkin', true],
  ])('OTEL_TRACES_EXPORTER=%s: traced is %s', (OTEL_TRACES_EXPORTER, isTraced) => {
    expect(configured({ ...collector, OTEL_TRACES_EXPORTER }) !== undefined).toBe(isTraced);
  });
});

/** What others may have set for all their programs: none of it is a misspelling of ours. */
const others = [
  ...['OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_PROPAGATORS', 'OTEL_LOG_LEVEL'],
  ...['OTEL_METRICS_EXPORTER', 'OTEL_LOGS_EXPORTER', 'OTEL_METRICS_EXEMPLAR_FILTER'],
  ...['OTEL_BSP_EXPORT_TIMEOUT', 'OTEL_BSP_MAX_QUEUE_SIZE', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
  ...['OTEL_BLRP_SCHEDULE_DELAY', 'OTEL_METRIC_EXPORT_INTERVAL', 'OTEL_NODE_RESOURCE_DETECTORS'],
  ...['HEADERS', 'TRACES_HEADERS', 'COMPRESSION', 'CERTIFICATE', 'CLIENT_KEY', 'INSECURE'].flatMap((name) => [
    `OTEL_EXPORTER_OTLP_${name}`,
  ]),
  ...['METRICS', 'LOGS'].flatMap((signal) =>
    ['TIMEOUT', 'PROTOCOL'].map((name) => `OTEL_EXPORTER_OTLP_${signal}_${name}`),
  ),
  ...['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'],
];

it('no OpenTelemetry variable is reported as a misspelling', () => {
  const env = Object.fromEntries(others.map((name) => [name, 'x']));
  expect(readSettings(env)).toMatchObject({ warnings: [], problems: [] });
});
