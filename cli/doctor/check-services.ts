import type { Finding } from './finding.ts';

/** How an attempt to reach something ended: it answered, or why not. */
export type ReachResult =
  | { readonly outcome: 'answered'; readonly status?: number }
  | { readonly outcome: 'failed'; readonly why: string };

/** `place` is shown, so it holds no secret. */
export function checkRedis(place: string, reach: ReachResult): Finding {
  const about = 'Redis';
  return reach.outcome === 'answered'
    ? { about, verdict: 'good', words: `${place} responds` }
    : {
        ...{ about, verdict: 'bad', words: `${place} does not respond (${reach.why})` },
        cure: 'check REDIS_URL and the network; until it responds, each gateway counts on its own',
      };
}

export function checkCollector(place: string, reach: ReachResult): Finding {
  const about = 'traces';
  if (reach.outcome === 'failed') {
    return {
      ...{ about, verdict: 'bad', words: `${place} does not respond (${reach.why})` },
      cure: 'check OTEL_EXPORTER_OTLP_ENDPOINT and the network; requests are served, but traces are lost',
    };
  }
  const { status = 200 } = reach;
  return status < 400
    ? { about, verdict: 'good', words: `${place} accepts traces` }
    : {
        ...{ about, verdict: 'bad', words: `${place} rejects traces with ${status}` },
        cure: 'traces are sent to /v1/traces below OTEL_EXPORTER_OTLP_ENDPOINT, over HTTP, not gRPC',
      };
}
