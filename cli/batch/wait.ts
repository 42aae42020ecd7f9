import { setTimeout as sleep } from 'node:timers/promises';
import { readSettings } from '../../settings/read-settings.ts';
import { GatewayUnreachable } from '../gateway-client.ts';
import { writeStderr } from '../output.ts';
import { ExitStatus } from '../run-command.ts';
import { type Terminal, TerminalLine } from '../terminal-line.ts';
import type { BatchClient } from './batch-client.ts';
import { type Batch, hasEnded } from './batch-object.ts';
import { BatchProgress, changeMark, plainLine } from './batch-progress.ts';

const POLL = 1000;
/** How long the gateway may be away, for example while it restarts, ms. */
const LONGEST_SILENCE = 5 * 60_000;
/** As a shell reports a program that SIGINT has ended. */
const INTERRUPTED = 130;

/**
 * Resolves when the batch has ended. Meanwhile it shows the progress: a bar on a terminal, else a line for each change.
 * Ctrl-C ends the wait only.
 */
export async function waitForEnd(
  client: BatchClient,
  first: Batch,
  terminal: Terminal = process.stderr,
): Promise<Batch> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  const view = new WaitView(
    terminal,
    readSettings(process.env).settings.COST_PER_HOUR ?? (await client.costPerHour()),
  );
  try {
    return await poll(client, first, view, interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    view.clear();
    throw new ExitStatus(
      INTERRUPTED,
      `${first.id} goes on. To wait for it again: corral batch show ${first.id} --wait\nTo cancel it: corral batch cancel ${first.id}`,
    );
  } finally {
    view.clear();
    process.off('SIGINT', interrupt);
  }
}

async function poll(client: BatchClient, first: Batch, view: WaitView, signal: AbortSignal): Promise<Batch> {
  let batch = first;
  let answeredAt = performance.now();
  for (;;) {
    view.show(batch);
    if (hasEnded(batch)) return batch;
    await sleep(POLL, undefined, { signal });
    try {
      batch = await client.get(batch.id, signal);
      answeredAt = performance.now();
    } catch (error) {
      const isPassing = error instanceof GatewayUnreachable || (error as Error).name === 'TimeoutError';
      if (!isPassing || performance.now() - answeredAt > LONGEST_SILENCE) throw error;
      view.showOutage();
    }
  }
}

class WaitView {
  readonly #line: TerminalLine;
  readonly #progress: BatchProgress;
  #shown: string | undefined;

  constructor(terminal: Terminal, costPerHour: number | undefined) {
    this.#line = new TerminalLine(terminal);
    this.#progress = new BatchProgress(costPerHour);
  }

  show(batch: Batch): void {
    const now = Date.now();
    this.#progress.add(batch, now);
    this.#line.draw(this.#progress.line(now));
    const mark = changeMark(batch);
    if (!this.#line.isVisible && mark !== this.#shown) writeStderr(plainLine(batch));
    this.#shown = mark;
  }

  showOutage(): void {
    this.#line.draw(`${this.#progress.line(Date.now())}  the gateway does not answer`);
  }

  clear(): void {
    this.#line.clear();
  }
}
