/** good: fine · warning: works, but may not be intended · bad: does not work · wrong: an invalid setting. */
export type Verdict = 'good' | 'warning' | 'bad' | 'wrong';

/** The result of one check. Contains no secret. */
export interface Finding {
  /** What was checked. */
  readonly about: string;
  readonly verdict: Verdict;
  readonly message: string;
  /** How to fix it, unless `message` says so. */
  readonly fix?: string;
}

/** The exit status of all findings: 0 no errors, 1 something does not work, 2 a setting is wrong. */
export function exitStatus(findings: readonly Finding[]): 0 | 1 | 2 {
  const has = (verdict: Verdict) => findings.some((finding) => finding.verdict === verdict);
  if (has('wrong')) return 2;
  return has('bad') ? 1 : 0;
}
