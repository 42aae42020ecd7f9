import { isJsonObject, type JsonObject } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';

const NO_OUTPUT = '(The output of this call was lost.)';

/**
 * Gives every call of a tool its output and every output its call, where a client lost one of the two: OpenAI refuses
 * such a history, and most chat templates fail at it. Only what stands alone is touched: a call whose message is the
 * last is about to be answered or continued, and outputs that follow a call belong to it whatever their ids say.
 */
export function pairChatCalls(messages: readonly unknown[], notes: NormalizationNotes): readonly unknown[] {
  const paired: unknown[] = [];
  let open: readonly unknown[] = [];
  let isAfterCall = false;
  const close = () => {
    for (const id of open) paired.push({ role: 'tool', tool_call_id: id, content: NO_OUTPUT });
    notes.repaired += open.length;
    open = [];
  };
  for (const message of messages) {
    const role = isJsonObject(message) ? message.role : undefined;
    if (role !== 'tool') {
      close();
      open = isJsonObject(message) && role === 'assistant' ? idsOf(message) : [];
      isAfterCall = open.length > 0;
    } else if (isAfterCall) {
      open = withoutOne(open, (message as JsonObject).tool_call_id);
    } else {
      paired.push(callFor(message as JsonObject));
      notes.repaired += 1;
      isAfterCall = true;
    }
    paired.push(message);
  }
  return paired.length === messages.length ? messages : paired;
}

function idsOf({ tool_calls }: JsonObject): readonly unknown[] {
  return Array.isArray(tool_calls)
    ? tool_calls.map((call) => (isJsonObject(call) ? call.id : undefined))
    : [];
}

/** The one of that id, else the first: some clients name none. */
function withoutOne(open: readonly unknown[], id: unknown): readonly unknown[] {
  const at = Math.max(open.indexOf(id), 0);
  return open.filter((_, index) => index !== at);
}

function callFor({ tool_call_id, name }: JsonObject): object {
  const asked = { name: typeof name === 'string' ? name : 'unknown', arguments: '{}' };
  return {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: tool_call_id, type: 'function', function: asked }],
  };
}
