import { recordUnhandledError } from '../log/unhandled-errors.ts';
import { awaitGateway } from './await-gateway.ts';
import type { Boot } from './boot.ts';
import { type CrashClass, classifyCrash } from './engine/crash-class.ts';
import { exitCodes } from './exit-codes.ts';
import { monitorGateway } from './gateway-monitor.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import { type ManagedProcess, superviseProcess } from './process/managed-process.ts';
import { gatewayPolicy, type RestartPolicy } from './process/restart-policy.ts';

export interface GatewayProcessOptions {
  readonly host: string;
  readonly port: number;
  readonly boot: Boot;
  readonly policy: RestartPolicy;
  /** 0 is never. */
  readonly hangTimeoutMs: number;
  readonly start: () => Child;
  /** Something that others see has changed. */
  readonly onChange: () => void;
  readonly onEnd: (end: GatewayExit, state: ChildState) => void;
  /** It has answered nobody for some seconds, or answers again. */
  readonly onGatewaySilent: (isSilent: boolean) => void;
  /** It answers nobody any more, and is ended for it. */
  readonly onGatewayHung: () => void;
}

export interface GatewayExit {
  readonly end: ChildExit;
  readonly crash: CrashClass;
  /** It had answered since it was started. */
  readonly wasReady: boolean;
}

/** The gateway as a child. */
export interface GatewayProcess {
  readonly tended: ManagedProcess;
  /** It has answered since it was last started. */
  readonly isUp: boolean;
  /** It did, and has not for some seconds. */
  readonly isSilent: boolean;
  close(): void;
}

export function superviseGateway(options: GatewayProcessOptions): GatewayProcess {
  const { host, port, boot, policy, start, onChange, onEnd } = options;
  let life = new AbortController();
  let isUp = false;
  let isSilent = false;
  let isHung = false;
  let watch: Disposable | undefined;

  async function awaitAnswer(): Promise<void> {
    life = new AbortController();
    if (!(await awaitGateway(host, port, life.signal))) return;
    isUp = true;
    boot.markReached('gateway up');
    onChange();
  }

  function begin(): void {
    isHung = false;
    awaitAnswer().catch(recordUnhandledError);
    watch = monitorGateway({
      ...options,
      wasUp: () => isUp,
      onSilent(silent) {
        const wasSilent = isSilent;
        isSilent = silent && isUp && tended.state.phase === 'running';
        if (isSilent === wasSilent) return;
        options.onGatewaySilent(isSilent);
        onChange();
      },
      onHung: endHung,
    });
  }

  /** One that is asked to stop has closed its port, and ends by the time it was given. */
  function endHung(): void {
    if (tended.state.phase !== 'running') return;
    isHung = true;
    options.onGatewayHung();
    tended.child?.kill();
  }

  const tended = superviseProcess({
    start,
    policy: gatewayPolicy(policy),
    judge(end) {
      if (end.code === exitCodes.configuration) return 'ended-for-good';
      return isUp ? 'ended' : { loadFailure: classifyCrash(end, { hung: isHung }) };
    },
    onStarted: begin,
    onEnded(end, state) {
      life.abort();
      watch?.[Symbol.dispose]();
      const wasReady = isUp;
      isUp = false;
      isSilent = false;
      onEnd({ end, crash: classifyCrash(end, { hung: isHung }), wasReady }, state);
    },
  });
  return {
    tended,
    get isUp() {
      return isUp;
    },
    get isSilent() {
      return isSilent;
    },
    close() {
      life.abort();
      watch?.[Symbol.dispose]();
    },
  };
}
