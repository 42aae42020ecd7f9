export type AdmissionOutcome = 'granted' | 'full' | 'timed-out' | 'draining' | 'lost' | 'left';

/** How admissions ended so far, by the share of their lanes. */
export class OutcomeCounts {
  readonly #counts = new Map<number, Record<AdmissionOutcome, number>>();
  granted = 0;

  add(share: number, outcome: AdmissionOutcome): void {
    let counts = this.#counts.get(share);
    if (counts === undefined) {
      counts = { granted: 0, full: 0, 'timed-out': 0, draining: 0, lost: 0, left: 0 };
      this.#counts.set(share, counts);
    }
    counts[outcome] += 1;
    if (outcome === 'granted') this.granted += 1;
  }

  get byWeight(): ReadonlyMap<number, Readonly<Record<AdmissionOutcome, number>>> {
    return this.#counts;
  }
}
