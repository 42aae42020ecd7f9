import { formatEvent, getEventData, mapEvents } from '../../../sse/sse.ts';
import { isJsonObject, type JsonObject, parseJsonObject, withFields } from '../json.ts';
import type { ResponseRewriter } from '../response-format.ts';

/** Rewrites the response to a chat that used `functions`: its call moves to where clients of that API look for it. */
export class LegacyFunctionRewriter implements ResponseRewriter {
  rewriteEvents(events: Buffer): Buffer {
    // Most events of a stream carry only text.
    if (!events.includes('"tool_calls"')) return events;
    return mapEvents(events, (event) => {
      const data = event.startsWith('data: {') ? getEventData(event) : undefined;
      return data === undefined ? event : formatEvent(rewriteCompletion(data)).trimEnd();
    });
  }

  rewriteBody(body: Buffer): Buffer {
    return Buffer.from(rewriteCompletion(body.toString()));
  }
}

function rewriteCompletion(json: string): string {
  const completion = parseJsonObject(json);
  if (completion === undefined || !Array.isArray(completion.choices)) return json;
  return JSON.stringify({ ...completion, choices: completion.choices.map(rewriteChoice) });
}

function rewriteChoice(choice: unknown): unknown {
  if (!isJsonObject(choice)) return choice;
  const { message, delta, finish_reason } = choice;
  return withFields(choice, {
    message: rewriteMessage(message),
    delta: rewriteMessage(delta),
    finish_reason: finish_reason === 'tool_calls' ? 'function_call' : finish_reason,
  });
}

function rewriteMessage(message: unknown): unknown {
  if (!isJsonObject(message) || !Array.isArray(message.tool_calls)) return message;
  const [call] = message.tool_calls;
  return withFields(message, {
    tool_calls: undefined,
    function_call: (call as JsonObject | undefined)?.function,
  });
}
