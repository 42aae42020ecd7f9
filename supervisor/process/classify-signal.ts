/** npm hands on to us the terminal's Ctrl-C, which we have had already: signals this close together are one wish. */
export const duplicateSignalMs = 300;

/** What a signal to end means after an earlier one: the first wish, a second that hurries, or an echo of the last. */
export function classifySignal(lastAt: number | undefined, now: number): 'stop' | 'hurry' | 'echo' {
  if (lastAt === undefined) return 'stop';
  return now - lastAt > duplicateSignalMs ? 'hurry' : 'echo';
}
