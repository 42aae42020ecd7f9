import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createRequestRecord, type RequestRecord } from '../proxy/request-record.ts';
import { registerResponseCacheMetrics } from './response-cache-metrics.ts';

const start = { id: 'r', method: 'POST', path: '/v1/chat/completions', address: '127.0.0.1' };
const end = { status: 200, outcome: 'ok' } as const;

const samplesOf = async (source: Parameters<typeof registerResponseCacheMetrics>[1]) => {
  const registry = new Registry();
  const count = registerResponseCacheMetrics(registry, source);
  const finish = (cache: RequestRecord['cache']) =>
    count({
      record: { ...createRequestRecord(start), cache },
      end,
      pattern: start.path,
      priority: undefined,
    });
  for (const result of ['hit', 'hit', 'miss', undefined] as const) finish(result);
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith('corral_response_cache_'));
};

describe('metrics of the response cache', () => {
  it('count each request once, by what the cache did for it last', async () => {
    expect(await samplesOf({ usage: { entries: 1, bytes: 2 } })).toEqual([
      'corral_response_cache_requests_total{result="hit"} 2',
      'corral_response_cache_requests_total{result="miss"} 1',
      'corral_response_cache_requests_total{result="bypass"} 0',
      'corral_response_cache_entries 1',
      'corral_response_cache_bytes 2',
    ]);
  });

  it('are absent without a cache', async () => {
    expect(await samplesOf(undefined)).toEqual([]);
  });
});
