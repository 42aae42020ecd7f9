import { type CrashClass, crashHint } from './engine/crash-class.ts';
import type { ClassifiedExit } from './events.ts';

/** What `/status` shows of the last crash: how it happened, but no output. */
export interface LastCrash {
  readonly who: ClassifiedExit['who'];
  readonly class: CrashClass;
  readonly cure: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: string;
}

/** Counts crashes by class, and remembers the last one. */
export class CrashTally {
  readonly counts: Partial<Record<CrashClass, number>> = {};
  last: LastCrash | undefined;

  add({ who, crash, model, exit: { code, signal } }: ClassifiedExit): LastCrash {
    this.counts[crash] = (this.counts[crash] ?? 0) + 1;
    const at = new Date().toISOString();
    this.last = { who, class: crash, cure: crashHint({ who, crash, model }), code, signal, at };
    return this.last;
  }
}
