import { invalidValue } from '../../errors/catalogue.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';

/** The number of items of a page: `limit` in the query, within OpenAI's or Anthropic's bounds. */
export function readLimit(c: GatewayContext, usual: number, most: number): number {
  const given = c.req.query('limit');
  if (given === undefined || given === '') return usual;
  const limit = readNumber(given);
  if (typeof limit === 'string' || !Number.isInteger(limit) || limit < 1 || limit > most)
    throw invalidValue('limit', `an integer from 1 to ${most}`, limit);
  return limit;
}

/** A number in a query or a form, where everything is a text; the text itself if it is none, for an error that shows which. */
export const readNumber = (given: string): number | string =>
  /^-?\d{1,15}(?:\.\d{1,15})?$/.test(given) ? Number(given) : given;

/** An id in the query; undefined if it is missing or empty, as some clients send it. */
export const readId = (c: GatewayContext, name: string): string | undefined => c.req.query(name) || undefined;

/** The order of a list by time. */
export function readOrder(c: GatewayContext): 'asc' | 'desc' {
  const order = c.req.query('order') || 'desc';
  if (order !== 'asc' && order !== 'desc') throw invalidValue('order', '"asc" or "desc"', order);
  return order;
}

/** A page of a list in OpenAI's format. */
export const listPage = <T extends { readonly id: string }>(data: readonly T[], hasMore: boolean) => ({
  object: 'list',
  data,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
  has_more: hasMore,
});

/** Also for the item of another key. */
export const unknownCursor = (name: string, what: 'file' | 'batch' | 'item') =>
  invalidValue(name, `the id of ${what === 'item' ? 'an' : 'a'} ${what} in this list`);
