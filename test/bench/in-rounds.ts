/** What each of several contenders was measured at, round by round. */
export type Rounds<Name extends string, Figures> = ReadonlyMap<Name, readonly Figures[]>;

/**
 * Measures all in turn, round after round. Each round begins with another one, so that none always comes after the same.
 * Round 0 warms up and is not counted: code that has just been started is slow. The whole of a contender is left out
 * where one of its measurements throws, which `onFailure` hears.
 */
export async function inRounds<Name extends string, Figures>(
  names: readonly Name[],
  rounds: number,
  measure: (name: Name, round: number) => Promise<Figures>,
  onFailure: (name: Name, error: unknown) => void,
): Promise<Rounds<Name, Figures>> {
  const measured = new Map<Name, Figures[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of inTurn([...measured.keys()], round)) {
      try {
        const figures = await measure(name, round);
        if (round > 0) measured.get(name)?.push(figures);
      } catch (error) {
        measured.delete(name);
        onFailure(name, error);
      }
    }
  }
  return measured;
}

function inTurn<T>(all: readonly T[], round: number): T[] {
  const first = all.length === 0 ? 0 : round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}
