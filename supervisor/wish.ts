/** npm hands on to us the terminal's Ctrl-C, which we have had already: signals this close together are one wish. */
export const oneWishMs = 300;

/** What a signal to end means after an earlier one: the first wish, a second that hurries, or an echo of the last. */
export function wishOf(lastAt: number | undefined, now: number): 'stop' | 'hurry' | 'echo' {
  if (lastAt === undefined) return 'stop';
  return now - lastAt > oneWishMs ? 'hurry' : 'echo';
}
