import { Admission, type AdmissionOptions, type Claim } from './admission.ts';
import type { LaneTerms } from './lane.ts';

/**
 * Requests that only count or tokenize, and counts of ours, at the backend at the same time. They need no slot, but
 * llama-server has a thread for each and a processor for none: those for tokens that others wait for have to do with less.
 */
export const COUNTING_PLACES = 4;
/** So many of one key, that another one finds a place. */
const OF_ONE_LANE = 2;
/** What counts as one turn, bytes of the body. */
const BYTES_PER_TURN = 64 * 1024;

/** Who may count, and who waits for that: lanes of their own, as those for slots are. */
export function openCountingPlaces(options: AdmissionOptions): Admission {
  return new Admission({ ...options, leasesSlots: false });
}

/** A claim on a place to count a body of so many bytes. */
export function countingClaim(lane: LaneTerms, bytes: number): Pick<Claim, 'lane' | 'weight' | 'turns'> {
  const concurrent = Math.min(lane.concurrent, OF_ONE_LANE);
  return { lane: { ...lane, concurrent }, weight: 1, turns: Math.ceil((bytes + 1) / BYTES_PER_TURN) };
}
