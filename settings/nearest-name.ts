import { distance } from 'fastest-levenshtein';

/** The known name that was probably meant; undefined if none is similar. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = withoutStyle(name);
  const distanceTo = (other: string) => distance(withoutStyle(other), wanted);
  const [first] = known.toSorted((a, b) => distanceTo(a) - distanceTo(b));
  return first !== undefined && distanceTo(first) <= Math.max(1, first.length / 5) ? first : undefined;
}

/** `did you mean "x"?`; undefined if no known name is similar. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  const meant = nearestName(name, known);
  return meant === undefined ? undefined : `did you mean ${JSON.stringify(meant)}?`;
}

/** Ignores spelling: requests_per_minute, RequestsPerMinute and requests-per-minute are the same. */
export function withoutStyle(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}
