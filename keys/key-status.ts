import type { Key } from './key.ts';

/** How a key stands at one moment. Times are milliseconds since 1970. */
export interface KeyStatus {
  readonly state: 'active' | 'disabled' | 'expired';
  /** An active key ends within 14 days. */
  readonly expiresSoon: boolean;
  /** Until when the secret from before the last rotation works; undefined where none does. */
  readonly rotatingUntil: number | undefined;
}

const soon = 14 * 86_400_000;

export function statusOf({ disabled, expires, previous }: Key, now: number): KeyStatus {
  const expired = expires !== null && expires <= now;
  const state = disabled ? 'disabled' : expired ? 'expired' : 'active';
  const rotating = state === 'active' && previous !== null && previous.validUntil > now;
  return {
    state,
    expiresSoon: state === 'active' && expires !== null && expires - now <= soon,
    rotatingUntil: rotating ? previous.validUntil : undefined,
  };
}
