import { type Batch, hasEnded } from '../../../store/batch.ts';
import { toMessageBatchId } from '../../../store/ids.ts';

/** A batch in Anthropic's format. `origin`: where its client reaches us. */
export function describeMessageBatch(batch: Batch, origin: string) {
  const id = toMessageBatchId(batch.id);
  const isEnded = hasEnded(batch.status);
  const { completed, failed, expired, cancelled, total } = batch.counts;
  const rest = total - completed - failed - expired - cancelled;
  const endedAt = batch.completedAt ?? batch.failedAt ?? batch.expiredAt ?? batch.cancelledAt;
  return {
    id,
    type: 'message_batch',
    processing_status: isEnded ? 'ended' : batch.status === 'cancelling' ? 'canceling' : 'in_progress',
    request_counts: {
      processing: isEnded ? 0 : rest,
      succeeded: completed,
      errored: failed + (isEnded ? rest : 0),
      canceled: cancelled,
      expired,
    },
    created_at: toIsoTime(batch.createdAt),
    expires_at: toIsoTime(batch.expiresAt),
    ended_at: endedAt === null ? null : toIsoTime(endedAt),
    cancel_initiated_at: batch.cancellingAt === null ? null : toIsoTime(batch.cancellingAt),
    archived_at: null,
    results_url: isEnded ? `${origin}/v1/messages/batches/${id}/results` : null,
  };
}

/** From seconds since 1970. */
const toIsoTime = (seconds: number) => new Date(seconds * 1000).toISOString();
