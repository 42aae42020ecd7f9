import { fingerprint } from '../../keys/fingerprint.ts';
import { type Key, keyDefaults } from '../../keys/key.ts';
import { secretHint } from '../../keys/mint.ts';

/**
 * The key of RunPod's queue worker. RunPod has asked its clients who they are, and decides how many jobs come: so there
 * are no limits to it, but it waits in line like any other key and is booked under a name of its own.
 */
export function queueWorkerKey(secret: string): Key {
  return {
    ...keyDefaults,
    id: 'runpod-queue',
    fingerprint: fingerprint(secret),
    hint: secretHint(secret),
    limits: { requestsPerMinute: 0, tokensPerMinute: 0 },
    note: "jobs of RunPod's queue; this key is made at each start",
  };
}
