import type { Child, ChildExit } from './process/child.ts';
import type { ManagedProcess } from './process/managed-process.ts';

/** How long llama-server may take to exit after SIGTERM. */
const engineGraceMs = 5000;
/** How long the gateway may take after the drain to close what it has cut off. */
const gatewayGraceMs = 2000;
/** How long a client may take after the drain to report aborted jobs to RunPod, or to store its last results. */
const clientGraceMs = 5000;
const forcedGraceMs = 1000;

/** What the clients have begun reaches the gateway within this time; afterwards the gateway accepts nothing new. */
const clientLeadMs = 500;

export interface ShutdownOptions {
  /** Our own clients of the gateway: the queue worker and the runner of batches. */
  readonly clients: readonly ManagedProcess[];
  readonly gateway: ManagedProcess;
  /** Returns the engines that run when they are to be stopped. */
  readonly engines: () => readonly ManagedProcess[];
  readonly drainTimeoutMs: number;
  /** Aborted to skip the wait. */
  readonly force: AbortSignal;
}

/**
 * Stops the gateway first, so that running requests can finish, then the engines, which are restarted as usual until
 * then. Its own clients take no new jobs from the start, and can deliver their results until the end. Resolves when no
 * child is left.
 */
export async function shutDown(options: ShutdownOptions): Promise<void> {
  const { clients, gateway, engines, drainTimeoutMs, force } = options;
  for (const client of clients) client.disableRestart();
  const stopping = clients.map((client) => stop(client, drainTimeoutMs + clientGraceMs, force));
  const clientsStopped = Promise.all(stopping);
  if (clients.length > 0) await within(clientsStopped, clientLeadMs, force);
  gateway.disableRestart();
  await stop(gateway, drainTimeoutMs + gatewayGraceMs, force);
  const running = engines();
  for (const engine of running) engine.disableRestart();
  await Promise.all(running.map((engine) => stop(engine, engineGraceMs, force)));
  await clientsStopped;
}

async function stop(
  { child }: ManagedProcess,
  graceMs: number,
  force: AbortSignal,
): Promise<ChildExit | undefined> {
  if (!child) return undefined;
  child.signal('SIGTERM');
  const exit = await within(child.exited, graceMs, force);
  return exit ?? (force.aborted ? interrupt(child) : kill(child));
}

/**
 * The children skip the wait at a second signal. It differs from the first, because the system delivers two identical
 * pending signals as one.
 */
async function interrupt(child: Child): Promise<ChildExit> {
  child.signal('SIGINT');
  return (await within(child.exited, forcedGraceMs)) ?? kill(child);
}

function kill(child: Child): Promise<ChildExit> {
  child.kill();
  return child.exited;
}

/** The value, or undefined if it took too long or the signal came first. */
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
