import type { Key } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import type { Finding } from './finding.ts';

/** What the key store has come to. */
export interface KeySnapshot {
  readonly isAsked: boolean;
  readonly file: string;
  readonly keys: readonly Key[];
  readonly warnings: readonly string[];
  readonly problem: string | undefined;
  readonly maxAgeMs: number | undefined;
}

export function checkKeys(sight: KeySnapshot, now: number): Finding[] {
  const { isAsked, file, keys, warnings, problem, maxAgeMs } = sight;
  const about = 'keys';
  if (!isAsked) {
    return [{ about, verdict: 'warning', words: 'no API key is required (AUTH_ENABLED=false)' }];
  }
  const told = warnings.map((words): Finding => ({ about, verdict: 'warning', words }));
  if (problem !== undefined) return [{ about, verdict: 'wrong', words: problem }, ...told];
  const active = keys
    .map((key) => getKeyStatus(key, now, maxAgeMs))
    .filter(({ state }) => state === 'active');
  if (active.length === 0) {
    const words = `no active key in ${file}: every request will be rejected`;
    return [{ about, verdict: 'warning', words, cure: 'create one: corral keys create NAME' }, ...told];
  }
  const old = active.filter(({ secretIsOld }) => secretIsOld).length;
  const ending = active.filter(({ expiresSoon }) => expiresSoon).length;
  const notes = [
    ...(ending > 0 ? [`${ending} expiring within 14 days`] : []),
    ...(old > 0 ? [`${old} older than KEY_MAX_AGE_DAYS`] : []),
  ];
  const words = [`${active.length} of ${keys.length} keys are active (${file})`, ...notes].join(', ');
  return [{ about, verdict: notes.length > 0 ? 'warning' : 'good', words }, ...told];
}
