import type { Aggregator } from '../aggregate/aggregator.ts';

interface ResponseEvent {
  readonly type?: string;
  readonly response?: Response;
}

interface Response {
  readonly created_at?: number;
  readonly output?: readonly object[];
}

const last = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** The answer of /v1/responses, which its last event carries, but for what llama-server tells only in one piece. */
export class ResponseAggregator implements Aggregator {
  #response: Response | undefined;

  add(event: unknown): void {
    const { type = '', response } = event as ResponseEvent;
    if (last.has(type)) this.#response = response;
  }

  result(): object | undefined {
    if (this.#response === undefined) return undefined;
    const { created_at, output = [] } = this.#response;
    const items = output.map((item) => ({ status: 'completed', ...item }));
    return { completed_at: created_at, ...this.#response, output: items };
  }
}
