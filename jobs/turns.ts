export interface HasOwner {
  readonly id: string;
  readonly owner: string;
}

/** Whose turn it is: the owner whose last turn was longest ago, and of its batches the one likewise. */
export class Turns {
  #turn = 0;
  readonly #owners = new Map<string, number>();
  readonly #batches = new Map<string, number>();

  /** The next of these; undefined if there is none. */
  next<B extends HasOwner>(batches: Iterable<B>): B | undefined {
    let first: B | undefined;
    for (const batch of batches) if (first === undefined || this.#isBefore(batch, first)) first = batch;
    if (first === undefined) return undefined;
    this.#turn += 1;
    this.#owners.set(first.owner, this.#turn);
    this.#batches.set(first.id, this.#turn);
    return first;
  }

  /** A batch that has ended. Its owner is forgotten, too, as a new turn then harms nobody. */
  forget({ id, owner }: HasOwner): void {
    this.#batches.delete(id);
    this.#owners.delete(owner);
  }

  #isBefore(a: HasOwner, b: HasOwner): boolean {
    const [ownerA, ownerB] = [this.#owners.get(a.owner) ?? 0, this.#owners.get(b.owner) ?? 0];
    if (ownerA !== ownerB) return ownerA < ownerB;
    return (this.#batches.get(a.id) ?? 0) < (this.#batches.get(b.id) ?? 0);
  }
}
