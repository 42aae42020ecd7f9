import type { Child, ChildEnd } from './child.ts';
import type { Tended } from './tend.ts';
import { engineGraceMs } from './tend-engine.ts';

/** What the gateway may take beyond the drain, to close what it has cut. */
const gatewayGraceMs = 2000;
const hurriedGraceMs = 1000;

export interface ShutdownPlan {
  readonly gateway: Tended;
  readonly engine: Tended;
  readonly drainTimeoutMs: number;
  /** Aborted when somebody does not want to wait. */
  readonly hurry: AbortSignal;
}

/**
 * Ends the gateway first, which lets running requests finish, then llama-server, which until then is brought back like at
 * any other time. Settles when nothing is left of them.
 */
export async function shutDown({ gateway, engine, drainTimeoutMs, hurry }: ShutdownPlan): Promise<void> {
  gateway.letGo();
  await stop(gateway, drainTimeoutMs + gatewayGraceMs, hurry);
  engine.letGo();
  await stop(engine, engineGraceMs, hurry);
}

async function stop({ child }: Tended, graceMs: number, hurry: AbortSignal): Promise<ChildEnd | undefined> {
  if (!child) return undefined;
  child.signal('SIGTERM');
  const end = await within(child.ended, graceMs, hurry);
  return end ?? (hurry.aborted ? hurried(child) : killed(child));
}

/** Both children take a second signal for a wish to be quick. */
async function hurried(child: Child): Promise<ChildEnd> {
  child.signal('SIGTERM');
  return (await within(child.ended, hurriedGraceMs)) ?? killed(child);
}

function killed(child: Child): Promise<ChildEnd> {
  child.kill();
  return child.ended;
}

/** The value, or undefined where it took too long or the signal came first. */
function within<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    const end = (value?: T) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      resolve(value);
    };
    const giveUp = () => end();
    const timer = setTimeout(giveUp, ms);
    void promise.then(end);
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp);
  });
}
