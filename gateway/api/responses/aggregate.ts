import type { Aggregator } from '../aggregation.ts';

interface ResponseEvent {
  readonly type?: string;
  readonly response?: Response;
}

interface Response {
  readonly created_at?: number;
  readonly output?: readonly object[];
}

const lastEvents = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** For /v1/responses: the last event of a stream has the response, except for fields that llama-server gives only in its JSON. */
export class ResponseAggregator implements Aggregator {
  #response: Response | undefined;

  add(event: unknown): void {
    const { type = '', response } = event as ResponseEvent;
    if (lastEvents.has(type)) this.#response = response;
  }

  result(): object | undefined {
    if (this.#response === undefined) return undefined;
    const { created_at, output = [] } = this.#response;
    const items = output.map((item) => ({ status: 'completed', ...item }));
    return { completed_at: created_at, ...this.#response, output: items };
  }
}
