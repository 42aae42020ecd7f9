/**
 * Imported before all else into the processes of the product: their calendar shows the time that a test wants, as on a
 * machine that was asleep for an hour, while what measures spans goes on as ever.
 */
import { readFileSync } from 'node:fs';

const LOOK_EVERY = 20;
const RealDate = Date;
const { CHAOS_CLOCK = '' } = process.env;
let shift = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

function now(): number {
  if (performance.now() - lookedAt > LOOK_EVERY) {
    lookedAt = performance.now();
    shift = Number(readFileSync(CHAOS_CLOCK, 'utf8'));
  }
  return RealDate.now() + shift;
}

class ShiftedDate extends RealDate {
  constructor(...given: ConstructorParameters<typeof Date> | []) {
    if (given.length === 0) super(now());
    else super(...given);
  }

  static override now(): number {
    return now();
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
