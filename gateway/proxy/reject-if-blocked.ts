import { createHash } from 'node:crypto';
import { engineCrashed } from '../errors/catalogue.ts';
import type { Quarantine } from '../scheduler/quarantine.ts';
import type { RequestRecord } from './request-record.ts';

/** Enough to find the same request again, and nothing of what it says. */
const DIGEST_LENGTH = 16;

/** For the log: by it the same body is known again. */
export function bodyDigest(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex').slice(0, DIGEST_LENGTH);
}

/** Refuses what the engine dies of. */
export function rejectIfBlocked(suspects: Quarantine, record: RequestRecord, body: Buffer): void {
  if (!suspects.isBlocked(body)) return;
  record.digest = bodyDigest(body);
  throw engineCrashed();
}
