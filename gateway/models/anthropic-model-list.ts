import { invalidValue } from '../errors/catalogue.ts';
import { type ModelInfo, startedAt } from './model-list.ts';

/** A model as Anthropic's API describes one. */
export function anthropicModel(id: string, { props }: ModelInfo) {
  const context = props?.contextPerSlot ?? null;
  return {
    ...{ type: 'model', id, display_name: id, created_at: new Date(startedAt * 1000).toISOString() },
    ...{ max_input_tokens: context, max_tokens: context, capabilities: null },
    ...{ lifecycle: 'active', deprecated_at: null, retires_at: null, line: null },
  };
}

export interface PageQuery {
  readonly limit?: string;
  readonly after_id?: string;
  readonly before_id?: string;
}

const DEFAULT_LIMIT = 20;
const MOST = 1000;

/** The page of a list that the query asks for. */
export function anthropicModelPage(ids: readonly string[], facts: ModelInfo, query: PageQuery) {
  const limit = query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    throw invalidValue('limit', `a whole number from 1 to ${MOST}`);
  const { after_id, before_id } = query;
  const from = after_id === undefined ? 0 : placeOf(ids, 'after_id', after_id) + 1;
  const to = before_id === undefined ? ids.length : placeOf(ids, 'before_id', before_id);
  const between = ids.slice(from, to);
  // Read backwards, a page is what stands right before the name.
  const page =
    after_id === undefined && before_id !== undefined ? between.slice(-limit) : between.slice(0, limit);
  return {
    data: page.map((id) => anthropicModel(id, facts)),
    has_more: page.length < between.length,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  };
}

function placeOf(ids: readonly string[], name: string, id: string): number {
  const place = ids.indexOf(id);
  if (place === -1) throw invalidValue(name, 'the id of a model in this list');
  return place;
}
