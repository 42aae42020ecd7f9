import type { EventAggregator } from '../aggregation.ts';

interface MessageEvent {
  readonly type?: string;
  readonly index?: number;
  readonly message?: Message;
  readonly content_block?: { readonly type: string };
  readonly delta?: Readonly<Record<string, unknown>>;
  readonly usage?: object;
}

interface Message {
  readonly usage?: object;
}

interface Block {
  readonly type: string;
  /** The arguments of a tool, as far as they have arrived. */
  json: string;
  readonly fields: Record<string, unknown>;
}

/** For /v1/messages: blocks of text, thinking and tool use, each of which is extended by deltas. */
export class MessageAggregator implements EventAggregator {
  readonly #blocks: Block[] = [];
  #message: Message | undefined;
  #finalFields: Readonly<Record<string, unknown>> = {};
  #usage: object = {};
  #isComplete = false;

  add(event: unknown): void {
    const { type, index = 0, message, content_block, delta, usage } = event as MessageEvent;
    if (type === 'message_start') this.#message = message;
    else if (type === 'content_block_start' && content_block) this.#blocks[index] = openBlock(content_block);
    else if (type === 'content_block_delta' && delta) extendBlock(this.#blocks[index], delta);
    else if (type === 'message_delta') {
      this.#finalFields = delta ?? {};
      this.#usage = usage ?? {};
    } else if (type === 'message_stop') this.#isComplete = true;
  }

  result(): object | undefined {
    if (!this.#isComplete || this.#message === undefined) return undefined;
    const usage = { ...this.#message.usage, ...this.#usage };
    const content = Object.values(this.#blocks).map(closeBlock);
    return { ...this.#message, content, ...this.#finalFields, usage };
  }
}

function openBlock(start: { readonly type: string }): Block {
  const fields: Record<string, unknown> = { ...start };
  if (start.type === 'thinking') fields.signature ??= '';
  return { type: start.type, json: '', fields };
}

function extendBlock(block: Block | undefined, delta: Readonly<Record<string, unknown>>): void {
  if (block === undefined) return;
  for (const name in delta) {
    const value = delta[name];
    if (name === 'type' || typeof value !== 'string') continue;
    if (name === 'partial_json') block.json += value;
    else block.fields[name] = `${block.fields[name] ?? ''}${value}`;
  }
}

function closeBlock({ type, json, fields }: Block): object {
  return type === 'tool_use' ? { ...fields, input: parseArguments(json) } : fields;
}

/** A call that was cut short has no arguments, as in llama-server's own JSON response. */
function parseArguments(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
