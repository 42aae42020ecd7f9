import { describe, expect, it } from 'vitest';
import { readSettings } from '../../settings/read-settings.ts';
import { traceConfig } from './trace-config.ts';

const configured = (env: Record<string, string>) => traceConfig(readSettings(env).settings);
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('traceConfig', () => {
  it('wants nothing where no endpoint is set, or everything is switched off', () => {
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

  it('takes the endpoint of traces as it is, before the other', () => {
    const env = { ...collector, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces/in' };
    expect(configured(env)?.url).toBe('https://traces/in');
  });

  it('keeps the rest as it is set', () => {
    expect(configured(collector)).toMatchObject({
      ...{ protocol: 'http/protobuf', sampler: 'parentbased_always_on', ratio: 1, timeoutMs: 3000 },
    });
    const env = { ...collector, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
    expect(configured(env)).toMatchObject({ sampler: 'traceidratio', ratio: 0.25 });
  });
});

/** What others may have set for all their programs: none of it is a misspelling of ours. */
const others = [
  ...['OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_PROPAGATORS', 'OTEL_LOG_LEVEL'],
  ...['OTEL_TRACES_EXPORTER', 'OTEL_METRICS_EXPORTER', 'OTEL_LOGS_EXPORTER', 'OTEL_METRICS_EXEMPLAR_FILTER'],
  ...['OTEL_BSP_EXPORT_TIMEOUT', 'OTEL_BSP_MAX_QUEUE_SIZE', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
  ...['OTEL_BLRP_SCHEDULE_DELAY', 'OTEL_METRIC_EXPORT_INTERVAL', 'OTEL_NODE_RESOURCE_DETECTORS'],
  ...['HEADERS', 'TRACES_HEADERS', 'COMPRESSION', 'CERTIFICATE', 'CLIENT_KEY', 'INSECURE'].flatMap((name) => [
    `OTEL_EXPORTER_OTLP_${name}`,
  ]),
  ...['TRACES', 'METRICS', 'LOGS'].flatMap((signal) =>
    ['TIMEOUT', 'PROTOCOL'].map((name) => `OTEL_EXPORTER_OTLP_${signal}_${name}`),
  ),
  ...['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'],
];

it('no variable of OpenTelemetry is taken for a misspelling', () => {
  const env = Object.fromEntries(others.map((name) => [name, 'x']));
  expect(readSettings(env)).toMatchObject({ warnings: [], problems: [] });
});
