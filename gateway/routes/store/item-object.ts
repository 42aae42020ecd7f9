import type { JsonObject } from '../../../json/json-object.ts';
import type { StoredItem } from '../../../store/response.ts';
import { asList, isJsonObject, withFields } from '../../api/json.ts';

/** An item in OpenAI's format: complete, whatever its client left out. */
export function describeItem({ id, item }: StoredItem): JsonObject & { readonly id: string } {
  const type = item.type ?? 'message';
  const status = item.status ?? 'completed';
  const known = { ...item, id, type };
  switch (type) {
    case 'message':
      return { ...known, status, content: describeContent(item) };
    case 'function_call':
    case 'function_call_output':
      return { ...known, status };
    case 'reasoning':
      return { ...known, summary: asList(item.summary) };
    default:
      return known;
  }
}

function describeContent({ role, content }: JsonObject): readonly unknown[] {
  const parts = typeof content === 'string' ? [content] : asList(content);
  return parts.map((part) => {
    if (typeof part === 'string') return describeText(role, { text: part });
    if (!isJsonObject(part)) return part;
    if (part.type === 'input_image') return { detail: 'auto', ...part };
    return typeof part.text === 'string' ? describeText(role, part) : part;
  });
}

function describeText(role: unknown, part: JsonObject): JsonObject {
  if (role !== 'assistant') return withFields(part, { type: 'input_text' });
  return { annotations: [], logprobs: [], ...part, type: 'output_text' };
}
