import { randomBytes } from 'node:crypto';
import type { OutputItem, ResponseObject } from './response-object.ts';
import type { ResponsesApiEvent } from './stream-state.ts';

/**
 * Gives the items of one response ids that nobody can guess and that no other item has. Those of llama-server may be made of
 * what the model calls its calls, which is the same in every response.
 */
export class ItemIds {
  /** By the ids of the engine. */
  readonly #ours = new Map<string, string>();

  /** `sent`: events with ids of ours, which the next ones repeat. */
  constructor(sent: readonly ResponsesApiEvent[] = []) {
    for (const { item } of sent) if (item?.id !== undefined) this.#ours.set(item.id, item.id);
  }

  renameIn(event: ResponsesApiEvent): ResponsesApiEvent {
    const { item_id, item, response } = event;
    return {
      ...event,
      ...(item_id !== undefined && { item_id: this.#rename(item_id) }),
      ...(item && { item: this.#renameItem(item) }),
      ...(response && { response: this.renameOutput(response) }),
    };
  }

  renameOutput(response: ResponseObject): ResponseObject {
    const { output } = response;
    return output ? { ...response, output: output.map((item) => this.#renameItem(item)) } : response;
  }

  #renameItem(item: OutputItem): OutputItem {
    return item.id === undefined ? item : { ...item, id: this.#rename(item.id) };
  }

  #rename(id: string): string {
    const known = this.#ours.get(id);
    if (known !== undefined) return known;
    const ours = `${/^[a-z]{1,5}_/.exec(id)?.[0] ?? 'item_'}${randomBytes(16).toString('hex')}`;
    this.#ours.set(id, ours);
    return ours;
  }
}
