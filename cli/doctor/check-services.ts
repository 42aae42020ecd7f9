import type { Finding } from './finding.ts';

/** How an attempt to reach something ended: it answered, or why not. */
export type ReachResult =
  | { readonly outcome: 'answered'; readonly status?: number }
  | { readonly outcome: 'failed'; readonly why: string };

/** `place` is shown, so it holds no secret. */
export function checkRedis(place: string, reach: ReachResult): Finding {
  const about = 'Redis';
  return reach.outcome === 'answered'
    ? { about, verdict: 'good', words: `${place} answers` }
    : {
        ...{ about, verdict: 'bad', words: `${place} does not answer (${reach.why})` },
        cure: 'check REDIS_URL and the network; until it answers each gateway counts alone',
      };
}

export function checkCollector(place: string, reach: ReachResult): Finding {
  const about = 'traces';
  if (reach.outcome === 'failed') {
    return {
      ...{ about, verdict: 'bad', words: `${place} does not answer (${reach.why})` },
      cure: 'check OTEL_EXPORTER_OTLP_ENDPOINT and the network; no request fails for it, traces are lost',
    };
  }
  const { status = 200 } = reach;
  return status < 400
    ? { about, verdict: 'good', words: `${place} takes traces` }
    : {
        ...{ about, verdict: 'bad', words: `${place} answers ${status} to traces` },
        cure: 'traces go to /v1/traces below OTEL_EXPORTER_OTLP_ENDPOINT, by HTTP and not by gRPC',
      };
}
