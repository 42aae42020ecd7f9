import { type TokenCost, tokenCostBetween, tokenCostByKey, type WorkTally } from './token-cost.ts';

const every = 5000;
/** The window that "now" means. */
const window = 300_000;

/** Remembers the tallies of the last minutes, to tell what a token takes at present. */
export class RecentTokenCost {
  readonly #take: () => WorkTally;
  readonly #costPerHour: number | undefined;
  readonly #tallies: WorkTally[];
  readonly #timer: NodeJS.Timeout;

  /** `take` reads what was spent and made so far. */
  constructor(take: () => WorkTally, costPerHour: number | undefined) {
    this.#take = take;
    this.#costPerHour = costPerHour;
    this.#tallies = [take()];
    this.#timer = setInterval(() => this.#remember(), every).unref();
  }

  /** Over the last five minutes, or since the gateway was started. */
  get overall(): TokenCost {
    return tokenCostBetween(this.#first, this.#take(), this.#costPerHour);
  }

  /** By key id, of those who had something of the machine in that time. */
  get byKey(): ReadonlyMap<string, TokenCost> {
    return tokenCostByKey(this.#first, this.#take(), this.#costPerHour);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get #first(): WorkTally {
    return this.#tallies[0] ?? this.#take();
  }

  #remember(): void {
    const now = this.#take();
    this.#tallies.push(now);
    while (this.#first.at < now.at - window) this.#tallies.shift();
  }
}
