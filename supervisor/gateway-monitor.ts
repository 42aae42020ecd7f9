import { Agent } from 'node:http';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import {
  isGatewayHung,
  nextUnresponsiveness,
  type Unresponsiveness,
  unresponsiveAfterMs,
} from './gateway-hang.ts';
import { type GatewayProbeResult, probeGateway } from './probe-gateway.ts';

export interface GatewayMonitorOptions {
  readonly host: string;
  readonly port: number;
  /** 0 is never. */
  readonly hangTimeoutMs: number;
  /** Whether it has answered since it was started. */
  readonly wasUp: () => boolean;
  /** It answers nobody for some seconds, or answers again. */
  readonly onSilent: (isSilent: boolean) => void;
  /** Once: it is to be replaced. */
  readonly onHung: () => void;
}

const intervalMs = 1000;
/** One that is busy answers late, and must not be taken for one that never answers. */
const questionMs = 10_000;

/** Asks one gateway whether it is there, again and again until closed; never two questions at a time. */
export function monitorGateway(options: GatewayMonitorOptions): Disposable {
  const { host, port, hangTimeoutMs, wasUp, onSilent, onHung } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let closed = false;
  let silence: Unresponsiveness = { ms: 0, at: performance.now() };
  let isSilent = false;
  let isAsking = false;

  async function ask(): Promise<void> {
    isAsking = true;
    const sight = await probeGateway({ host, port, agent, timeoutMs: questionMs });
    isAsking = false;
    learn(sight);
  }

  function learn(sight?: GatewayProbeResult): void {
    if (closed) return;
    silence = nextUnresponsiveness(silence, sight, performance.now(), 2 * intervalMs);
    const wasSilent = isSilent;
    isSilent = silence.ms >= unresponsiveAfterMs;
    if (isSilent !== wasSilent) onSilent(isSilent);
    if (isGatewayHung(silence, hangTimeoutMs, wasUp())) {
      close();
      onHung();
    }
  }

  function close(): void {
    clearInterval(timer);
    closed = true;
    agent.destroy();
  }

  const timer = setInterval(() => {
    if (isAsking) learn();
    else ask().catch(recordUnhandledError);
  }, intervalMs);
  return { [Symbol.dispose]: close };
}
