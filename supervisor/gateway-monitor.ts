import { Agent } from 'node:http';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import { type GatewayProbeResult, probeGateway } from './probe-gateway.ts';

export interface GatewayMonitorOptions {
  readonly host: string;
  readonly port: number;
  /** 0 is never. */
  readonly hangTimeoutMs: number;
  /** Whether it has responded since its start. */
  readonly hasResponded: () => boolean;
  /** It has not responded for some seconds, or responds again. */
  readonly onResponsivenessChange: (isUnresponsive: boolean) => void;
  /** Called once: it has to be restarted. */
  readonly onHung: () => void;
}

const intervalMs = 1000;
/** A busy gateway responds late, which is no hang. */
const probeTimeoutMs = 10_000;

/** Probes one gateway until closed, with one probe at a time. */
export function monitorGateway(options: GatewayMonitorOptions): Disposable {
  const { host, port, hangTimeoutMs, hasResponded, onResponsivenessChange, onHung } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let isClosed = false;
  let state: Unresponsiveness = { ms: 0, at: performance.now() };
  let isUnresponsive = false;
  let isProbing = false;

  async function probe(): Promise<void> {
    isProbing = true;
    const result = await probeGateway({ host, port, agent, timeoutMs: probeTimeoutMs });
    isProbing = false;
    update(result);
  }

  function update(result?: GatewayProbeResult): void {
    if (isClosed) return;
    state = nextUnresponsiveness(state, result, performance.now(), 2 * intervalMs);
    const before = isUnresponsive;
    isUnresponsive = state.ms >= unresponsiveAfterMs;
    if (isUnresponsive !== before) onResponsivenessChange(isUnresponsive);
    if (isGatewayHung(state, hangTimeoutMs, hasResponded())) {
      close();
      onHung();
    }
  }

  function close(): void {
    clearInterval(timer);
    isClosed = true;
    agent.destroy();
  }

  const timer = setInterval(() => {
    if (isProbing) update();
    else probe().catch(recordUnhandledError);
  }, intervalMs);
  return { [Symbol.dispose]: close };
}

/** For how long a gateway has not responded. */
export interface Unresponsiveness {
  readonly ms: number;
  /** When this was last updated. */
  readonly at: number;
}

/** Shorter silence may be a long garbage collection. */
export const unresponsiveAfterMs = 5000;

/** How long the first response may take when the gateway is alone on a slow machine. */
const maxStartMs = 60_000;

/**
 * The state at `now` of a monotonic clock; `result` is the last probe's, undefined while a probe is pending. A step counts
 * for at most `maxStepMs`: if we were suspended together with the gateway (a paused container, a resumed virtual
 * machine), an hour may have passed in which nothing could respond.
 */
export function nextUnresponsiveness(
  { ms, at }: Unresponsiveness,
  result: GatewayProbeResult | undefined,
  now: number,
  maxStepMs: number,
): Unresponsiveness {
  if (result === 'alive') return { ms: 0, at: now };
  return { ms: result === 'unknown' ? ms : ms + Math.min(now - at, maxStepMs), at: now };
}

/** `hangTimeoutMs` 0 is never. A gateway is unresponsive before it counts as hung. */
export function isGatewayHung(
  { ms }: Unresponsiveness,
  hangTimeoutMs: number,
  hasResponded: boolean,
): boolean {
  const minMs = hasResponded ? unresponsiveAfterMs : maxStartMs;
  return hangTimeoutMs > 0 && ms >= Math.max(hangTimeoutMs, minMs);
}
