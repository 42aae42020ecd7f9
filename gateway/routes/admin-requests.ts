import { requestNotFound } from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import type { RequestRecord } from '../proxy/request-record.ts';

/** `GET /admin/requests`: what is under way, the oldest first. */
export function listRequests(live: LiveRequests) {
  return (c: GatewayContext) => {
    const now = performance.now();
    return c.json({ requests: live.records.map((record) => describe(record, now)) });
  };
}

/** `DELETE /admin/requests/{id}`. */
export function cancelRequest(live: LiveRequests) {
  return (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    const cancelled = live.cancel(id);
    if (cancelled === 0) throw requestNotFound(id);
    return c.json({ id, cancelled });
  };
}

function describe(record: RequestRecord, now: number) {
  const { id, method, path, address, keyId, model, streamed, queuedMs, startedAt, responseTail } = record;
  const running = queuedMs !== undefined;
  return {
    ...{ id, method, path, address },
    key: keyId ?? null,
    model: model ?? null,
    stream: streamed ?? null,
    state: running ? 'running' : 'waiting',
    ageMs: Math.round(now - startedAt),
    queuedMs: Math.round(queuedMs ?? now - startedAt),
    tokens: responseTail?.generated ?? 0,
  };
}
