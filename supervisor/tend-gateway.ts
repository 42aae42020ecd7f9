import { noteUnforeseen } from '../log/unforeseen.ts';
import { awaitGateway } from './await-gateway.ts';
import type { Boot } from './boot.ts';
import type { Child, ChildEnd } from './child.ts';
import type { ChildState } from './child-state.ts';
import { type CrashClass, classifyCrash } from './crash-class.ts';
import { exitCodes } from './exit-codes.ts';
import { forGateway, type RestartPolicy } from './restart-policy.ts';
import { type Tended, tend } from './tend.ts';

export interface TendGatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly boot: Boot;
  readonly policy: RestartPolicy;
  readonly start: () => Child;
  /** Something that others see has changed. */
  readonly onChange: () => void;
  readonly onEnd: (end: GatewayEnd, state: ChildState) => void;
}

export interface GatewayEnd {
  readonly end: ChildEnd;
  readonly crash: CrashClass;
  /** It had answered since it was started. */
  readonly wasReady: boolean;
}

/** The gateway as a child. */
export interface TendedGateway {
  readonly tended: Tended;
  /** It has answered since it was last started. */
  readonly isUp: boolean;
  close(): void;
}

export function tendGateway(options: TendGatewayOptions): TendedGateway {
  const { host, port, boot, policy, start, onChange, onEnd } = options;
  let life = new AbortController();
  let isUp = false;

  async function awaitAnswer(): Promise<void> {
    life = new AbortController();
    if (!(await awaitGateway(host, port, life.signal))) return;
    isUp = true;
    boot.reached('gateway up');
    onChange();
  }

  const tended = tend({
    start,
    policy: forGateway(policy),
    judge(end) {
      if (end.code === exitCodes.configuration) return 'ended-for-good';
      return isUp ? 'ended' : { loadFailure: classifyCrash(end) };
    },
    onStarted: () => awaitAnswer().catch(noteUnforeseen),
    onEnded(end, state) {
      life.abort();
      const wasReady = isUp;
      isUp = false;
      onEnd({ end, crash: classifyCrash(end), wasReady }, state);
    },
  });
  return {
    tended,
    get isUp() {
      return isUp;
    },
    close: () => life.abort(),
  };
}
