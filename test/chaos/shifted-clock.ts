/**
 * Preloaded into the processes of the product: shifts `Date` by the milliseconds in the file CHAOS_CLOCK, as after a suspend.
 * `performance.now` and timers do not change.
 */
import { readFileSync } from 'node:fs';

const READ_EVERY_MS = 20;
const RealDate = Date;
const { CHAOS_CLOCK = '' } = process.env;
let shift = 0;
let readAt = Number.NEGATIVE_INFINITY;

function now(): number {
  if (performance.now() - readAt > READ_EVERY_MS) {
    readAt = performance.now();
    shift = Number(readFileSync(CHAOS_CLOCK, 'utf8'));
  }
  return RealDate.now() + shift;
}

class ShiftedDate extends RealDate {
  constructor(...args: ConstructorParameters<typeof Date> | []) {
    if (args.length === 0) super(now());
    else super(...args);
  }

  static override now(): number {
    return now();
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
