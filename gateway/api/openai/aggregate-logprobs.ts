/** Log-probabilities as they come in pieces: lists by name (`content`, `refusal`). */
export type Logprobs = Readonly<Record<string, unknown>>;

/** Lengthens the lists of `all` by those of `piece`. */
export function addLogprobs(all: Record<string, unknown[]>, piece: Logprobs): void {
  for (const [name, list] of Object.entries(piece)) {
    if (!Array.isArray(list)) continue;
    const before = all[name];
    if (before === undefined) all[name] = [...list];
    else before.push(...list);
  }
}
