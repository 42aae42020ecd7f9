import type { OutputItem, ResponseObject } from './response-object.ts';

/** One event of a Responses stream, as far as it is looked at here. */
export interface ResponseEvent {
  readonly type: string;
  readonly response?: ResponseObject;
  readonly item?: OutputItem;
  readonly item_id?: string;
  readonly part?: { readonly type: string };
  readonly [field: string]: unknown;
}
