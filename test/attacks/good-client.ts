import { Agent, request } from 'undici';
import { chatOf } from '../harness/raw-request.ts';

/** A well-behaved client: sends one request after another, each on a new connection, and records the response times. */
export class GoodClient {
  readonly #origin: string;
  readonly #secret: string;
  readonly #agent = new Agent({ pipelining: 0 });
  #times: number[] = [];
  #failures: string[] = [];

  constructor(origin: string, secret: string) {
    this.#origin = origin;
    this.#secret = secret;
  }

  /** Sends requests for `ms`. */
  async sendRequests(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      await this.#sendOne();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Returns and forgets the results since the last call; times in ms. */
  takeResults(): { completed: number; failures: readonly string[]; median: number; max: number } {
    const times = this.#times.sort((a, b) => a - b);
    const failures = this.#failures;
    [this.#times, this.#failures] = [[], []];
    const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
    return { completed: times.length, failures, median: at(0.5), max: at(1) };
  }

  async #sendOne(): Promise<void> {
    const startedAt = performance.now();
    try {
      const response = await request(`${this.#origin}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: this.#agent,
        reset: true,
        headers: { authorization: `Bearer ${this.#secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(chatOf('good')),
      });
      const text = await response.body.text();
      if (response.statusCode === 200 && text.includes('good'))
        this.#times.push(performance.now() - startedAt);
      else this.#failures.push(`${response.statusCode} ${text.slice(0, 80)}`);
    } catch (error) {
      this.#failures.push(String(error));
    }
  }
}
