import type { Database } from './database.ts';
import { History } from './history.ts';
import { ItemLists } from './item-list.ts';
import { Items } from './items.ts';
import { JsonCodec } from './json-codec.ts';
import type { Quota } from './quota.ts';
import { Removal } from './removal.ts';
import type { Reserve } from './reserve.ts';
import { ResponseEvents } from './response-events.ts';

/** What the responses and the conversations of a store share. */
export interface ResponseParts {
  readonly db: Database;
  readonly codec: JsonCodec;
  readonly quota: Quota;
  readonly items: Items;
  readonly lists: ItemLists;
  readonly history: History;
  readonly removal: Removal;
  readonly reserve: Reserve;
  readonly events: ResponseEvents;
}

export function createResponseParts(
  db: Database,
  quota: Quota,
  reserve: Reserve,
  storeKey: Buffer | undefined,
): ResponseParts {
  const codec = new JsonCodec(storeKey);
  const items = new Items(db, codec);
  const lists = new ItemLists(db, items);
  return {
    ...{ db, codec, quota, items, lists, reserve },
    history: new History(db, lists),
    removal: new Removal(db, items, reserve),
    events: new ResponseEvents(db, codec),
  };
}
