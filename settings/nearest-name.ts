import { distance } from 'fastest-levenshtein';

/** The known name that was probably meant; undefined if none is similar. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = withoutStyle(name);
  const distanceTo = (other: string) => countMistakes(wanted, withoutStyle(other));
  const [first] = known.toSorted((a, b) => distanceTo(a) - distanceTo(b));
  return first !== undefined && distanceTo(first) <= Math.max(1, first.length / 5) ? first : undefined;
}

/** Letters that are inserted, left out or replaced. Two that are swapped are one mistake, for one pair of a name. */
function countMistakes(name: string, known: string): number {
  const mistakes = distance(name, known);
  if (mistakes < 2 || name.length !== known.length) return mistakes;
  const withSwap = Array.from(name, (_, at) => 1 + distance(swapAt(name, at), known));
  return Math.min(mistakes, ...withSwap);
}

const swapAt = (name: string, at: number) =>
  name.slice(0, at) +
  name
    .slice(at, at + 2)
    .split('')
    .reverse()
    .join('') +
  name.slice(at + 2);

/** `did you mean "x"?`; undefined if no known name is similar. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  const meant = nearestName(name, known);
  return meant === undefined ? undefined : `did you mean ${JSON.stringify(meant)}?`;
}

/** Ignores spelling: requests_per_minute, RequestsPerMinute and requests-per-minute are the same. */
export function withoutStyle(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}
