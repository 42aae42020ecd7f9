import { HOUR } from '../../settings/durations.ts';

/** Tokens produced for energy and money. */
export interface Work {
  readonly output: number;
  /** Output and uncached input. */
  readonly processed: number;
}

/** The work of one key or model. */
export interface WorkOfOne extends Work {
  /** Machine time: one of four slots for a second is a quarter of a second. */
  readonly machineMs: number;
}

/** Totals up to a moment. */
export interface WorkTally extends Work {
  /** `performance.now()`. */
  readonly at: number;
  /** Undefined if no GPU reports its power. */
  readonly joules: number | undefined;
  readonly keys: ReadonlyMap<string, WorkOfOne>;
  readonly models: ReadonlyMap<string, WorkOfOne>;
}

/** The cost of a token; undefined if there were no tokens or the spending is unknown. */
export interface TokenCost {
  readonly joulesPerOutputToken: number | undefined;
  readonly joulesPerToken: number | undefined;
  readonly costPerMillionOutputTokens: number | undefined;
  readonly costPerMillionTokens: number | undefined;
}

interface Spending {
  readonly joules: number | undefined;
  readonly money: number | undefined;
}

/** Includes idle time: on a machine with little to do, tokens are expensive. */
export function tokenCostBetween(from: WorkTally, to: WorkTally, costPerHour: number | undefined): TokenCost {
  return divide(spendingBetween(from, to, costPerHour), workBetween(from, to));
}

/**
 * The same for each key or model that used the machine in the interval. All spending, including idle time, is divided
 * among them in proportion to their machine time, so together they pay for all of it.
 */
export function tokenCostBy(
  group: 'keys' | 'models',
  from: WorkTally,
  to: WorkTally,
  costPerHour: number | undefined,
): Map<string, TokenCost> {
  const spending = spendingBetween(from, to, costPerHour);
  const work = [...to[group]].map(([id, now]) => [id, workOfOneBetween(from[group].get(id), now)] as const);
  const machineMs = work.reduce((sum, [, ofOne]) => sum + ofOne.machineMs, 0);
  const active = work.filter(([, ofOne]) => ofOne.machineMs > 0);
  return new Map(
    active.map(([id, ofOne]) => [id, divide(multiply(spending, ofOne.machineMs / machineMs), ofOne)]),
  );
}

function spendingBetween(from: WorkTally, to: WorkTally, costPerHour: number | undefined): Spending {
  return {
    joules: to.joules === undefined ? undefined : to.joules - (from.joules ?? 0),
    money: costPerHour === undefined ? undefined : (costPerHour * (to.at - from.at)) / HOUR,
  };
}

function workBetween(from: Work, to: Work): Work {
  return { output: to.output - from.output, processed: to.processed - from.processed };
}

function workOfOneBetween(
  from: WorkOfOne = { output: 0, processed: 0, machineMs: 0 },
  to: WorkOfOne,
): WorkOfOne {
  return { ...workBetween(from, to), machineMs: to.machineMs - from.machineMs };
}

function multiply({ joules, money }: Spending, share: number): Spending {
  return { joules: joules && joules * share, money: money && money * share };
}

function divide({ joules, money }: Spending, { output, processed }: Work): TokenCost {
  return {
    joulesPerOutputToken: per(joules, output),
    joulesPerToken: per(joules, processed),
    costPerMillionOutputTokens: per(money, output / 1e6),
    costPerMillionTokens: per(money, processed / 1e6),
  };
}

function per(spent: number | undefined, tokens: number): number | undefined {
  return spent === undefined || tokens <= 0 ? undefined : spent / tokens;
}

const INTERVAL = 5000;
/** The period that counts as recent. */
const WINDOW = 300_000;

const noCosts: ReadonlyMap<string, TokenCost> = new Map();

/** The cost of a token over the last five minutes, or since the gateway started. */
export class RecentTokenCost {
  readonly #takeTally: () => WorkTally;
  readonly #costPerHour: number | undefined;
  /** Oldest first. */
  readonly #tallies: WorkTally[];
  readonly #timer: NodeJS.Timeout;
  readonly #hasModels: boolean;

  /** `hasModels`: several models are served. */
  constructor(takeTally: () => WorkTally, costPerHour: number | undefined, hasModels = false) {
    this.#hasModels = hasModels;
    this.#takeTally = takeTally;
    this.#costPerHour = costPerHour;
    this.#tallies = [takeTally()];
    this.#timer = setInterval(() => this.#addTally(), INTERVAL).unref();
  }

  get overall(): TokenCost {
    return tokenCostBetween(this.#oldest, this.#takeTally(), this.#costPerHour);
  }

  /** By key id; only keys that used the machine in this time. */
  get byKey(): ReadonlyMap<string, TokenCost> {
    return tokenCostBy('keys', this.#oldest, this.#takeTally(), this.#costPerHour);
  }

  /** By model, if there are several; only those that answered in this time. */
  get byModel(): ReadonlyMap<string, TokenCost> {
    if (!this.#hasModels) return noCosts;
    return tokenCostBy('models', this.#oldest, this.#takeTally(), this.#costPerHour);
  }

  /** What the machine time of each model has cost since the gateway started; undefined if the price is unknown. */
  get moneyByModel(): ReadonlyMap<string, number> | undefined {
    const price = this.#costPerHour;
    if (price === undefined) return undefined;
    const { models } = this.#takeTally();
    return new Map([...models].map(([id, { machineMs }]) => [id, (machineMs / HOUR) * price]));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get #oldest(): WorkTally {
    return this.#tallies[0] ?? this.#takeTally();
  }

  #addTally(): void {
    const now = this.#takeTally();
    this.#tallies.push(now);
    while (this.#oldest.at < now.at - WINDOW) this.#tallies.shift();
  }
}
