/** Lets a number of requests through at a time; the others wait in order. */
export class Gate {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(places: number) {
    this.free = places;
  }

  enter(go: () => void): void {
    if (this.free === 0) {
      this.waiting.push(go);
      return;
    }
    this.free -= 1;
    go();
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}
