/** good: as it should be · warning: it works, and may not be what is wanted · bad: it does not work · wrong: it is set wrongly. */
export type Verdict = 'good' | 'warning' | 'bad' | 'wrong';

/** What was found out about one thing. Holds no secret. */
export interface Finding {
  /** What was looked at. */
  readonly about: string;
  readonly verdict: Verdict;
  readonly words: string;
  /** What to do about it, where the words do not say. */
  readonly cure?: string;
}

/** The exit status that the findings come to: 0 all well, 1 something does not work, 2 something is set wrongly. */
export function exitStatus(findings: readonly Finding[]): 0 | 1 | 2 {
  const has = (verdict: Verdict) => findings.some((finding) => finding.verdict === verdict);
  if (has('wrong')) return 2;
  return has('bad') ? 1 : 0;
}
