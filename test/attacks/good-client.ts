import { Agent, request } from 'undici';
import { chatOf } from '../harness/raw-request.ts';

/** Asks one thing after the other, each on a connection of its own, and notes how long it took to be answered. */
export class GoodClient {
  readonly #origin: string;
  readonly #secret: string;
  readonly #agent = new Agent({ pipelining: 0 });
  #took: number[] = [];
  #failures: string[] = [];

  constructor(origin: string, secret: string) {
    this.#origin = origin;
    this.#secret = secret;
  }

  /** Asks until `ms` have passed. */
  async askFor(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      await this.#ask();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What there was since it was last asked; times in ms. */
  take(): { served: number; failed: readonly string[]; median: number; worst: number } {
    const took = this.#took.sort((a, b) => a - b);
    const failed = this.#failures;
    [this.#took, this.#failures] = [[], []];
    const at = (share: number) => Math.round(took[Math.floor((took.length - 1) * share)] ?? 0);
    return { served: took.length, failed, median: at(0.5), worst: at(1) };
  }

  async #ask(): Promise<void> {
    const since = performance.now();
    try {
      const answer = await request(`${this.#origin}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: this.#agent,
        reset: true,
        headers: { authorization: `Bearer ${this.#secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(chatOf('good')),
      });
      const text = await answer.body.text();
      if (answer.statusCode === 200 && text.includes('good')) this.#took.push(performance.now() - since);
      else this.#failures.push(`${answer.statusCode} ${text.slice(0, 80)}`);
    } catch (error) {
      this.#failures.push(String(error));
    }
  }
}
