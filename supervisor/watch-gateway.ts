import { Agent } from 'node:http';
import { noteUnforeseen } from '../log/unforeseen.ts';
import { type GatewaySight, lookAtGateway } from './gateway-sight.ts';
import { isHungUp, nextSilence, noticeAfterMs, type Silence } from './gateway-silence.ts';

export interface GatewayWatchOptions {
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
export function watchGateway(options: GatewayWatchOptions): Disposable {
  const { host, port, hangTimeoutMs, wasUp, onSilent, onHung } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let closed = false;
  let silence: Silence = { ms: 0, at: performance.now() };
  let isSilent = false;
  let isAsking = false;

  async function ask(): Promise<void> {
    isAsking = true;
    const sight = await lookAtGateway({ host, port, agent, timeoutMs: questionMs });
    isAsking = false;
    learn(sight);
  }

  function learn(sight?: GatewaySight): void {
    if (closed) return;
    silence = nextSilence(silence, sight, performance.now(), 2 * intervalMs);
    const wasSilent = isSilent;
    isSilent = silence.ms >= noticeAfterMs;
    if (isSilent !== wasSilent) onSilent(isSilent);
    if (isHungUp(silence, hangTimeoutMs, wasUp())) {
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
    else ask().catch(noteUnforeseen);
  }, intervalMs);
  return { [Symbol.dispose]: close };
}
