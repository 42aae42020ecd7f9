import type { GatewayProbeResult } from './probe-gateway.ts';

/** For how long a gateway has said nothing. */
export interface Unresponsiveness {
  readonly ms: number;
  /** When that was last reckoned. */
  readonly at: number;
}

/** Silence after which requests are not answered: what is shorter may be a long collection of garbage. */
export const unresponsiveAfterMs = 5000;

/** What a gateway may take for its first answer where it is alone on a slow machine. */
export const maxStartMs = 60_000;

/**
 * The silence at `now` of a clock that never runs backwards; `sight` is what was seen since the last time, undefined
 * while the answer is awaited. A step counts for `longestStepMs` at most: whoever is stopped together with the gateway (a
 * paused container, a virtual machine that is resumed) finds an hour gone and must not take it for a silent one.
 */
export function nextUnresponsiveness(
  { ms, at }: Unresponsiveness,
  sight: GatewayProbeResult | undefined,
  now: number,
  longestStepMs: number,
): Unresponsiveness {
  if (sight === 'alive') return { ms: 0, at: now };
  return { ms: sight === 'blind' ? ms : ms + Math.min(now - at, longestStepMs), at: now };
}

/** `hangTimeoutMs` 0 is never. Nobody is ended before it was noticed that they are silent. */
export function isGatewayHung({ ms }: Unresponsiveness, hangTimeoutMs: number, wasUp: boolean): boolean {
  return hangTimeoutMs > 0 && ms >= Math.max(hangTimeoutMs, wasUp ? unresponsiveAfterMs : maxStartMs);
}
