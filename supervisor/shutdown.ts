import { engineGraceMs } from './engine-process.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ManagedProcess } from './process/managed-process.ts';

/** What the gateway may take beyond the drain, to close what it has cut. */
const gatewayGraceMs = 2000;
/** What a queue worker may take beyond the drain, to tell RunPod of what it has broken off. */
const queueWorkerGraceMs = 5000;
const hurriedGraceMs = 1000;

/** What the queue worker has taken when it is told to stop is at the gateway by then, which takes nothing new afterwards. */
const queueWorkerLeadMs = 500;

export interface ShutdownOptions {
  /** Undefined where no jobs are taken from a queue. */
  readonly queueWorker: ManagedProcess | undefined;
  readonly gateway: ManagedProcess;
  readonly engine: ManagedProcess;
  readonly drainTimeoutMs: number;
  /** Aborted when somebody does not want to wait. */
  readonly hurry: AbortSignal;
}

/**
 * Ends the gateway first, which lets running requests finish, then llama-server, which until then is brought back like at
 * any other time. A queue worker takes nothing new from the begin, and has until the end to post what it made. Settles
 * when nothing is left of them.
 */
export async function shutDown(plan: ShutdownOptions): Promise<void> {
  const { queueWorker, gateway, engine, drainTimeoutMs, hurry } = plan;
  queueWorker?.letGo();
  const workerGone = queueWorker && stop(queueWorker, drainTimeoutMs + queueWorkerGraceMs, hurry);
  if (workerGone) await within(workerGone, queueWorkerLeadMs, hurry);
  gateway.letGo();
  await stop(gateway, drainTimeoutMs + gatewayGraceMs, hurry);
  engine.letGo();
  await stop(engine, engineGraceMs, hurry);
  await workerGone;
}

async function stop(
  { child }: ManagedProcess,
  graceMs: number,
  hurry: AbortSignal,
): Promise<ChildExit | undefined> {
  if (!child) return undefined;
  child.signal('SIGTERM');
  const end = await within(child.ended, graceMs, hurry);
  return end ?? (hurry.aborted ? hurried(child) : killed(child));
}

/**
 * The children take a second signal for a wish to be quick. It is another one than the first: of two alike that come
 * together the system delivers one.
 */
async function hurried(child: Child): Promise<ChildExit> {
  child.signal('SIGINT');
  return (await within(child.ended, hurriedGraceMs)) ?? killed(child);
}

function killed(child: Child): Promise<ChildExit> {
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
    promise.then(end, () => end());
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp);
  });
}
