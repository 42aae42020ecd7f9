import { isJsonObject, type JsonObject, withFields } from '../json-object.ts';
import type { ResponseRewriter } from '../response-rewriter.ts';

/** The answer to a chat that gave `functions`: its call stands where clients of that time look for it. */
export class LegacyFunctionRewriter implements ResponseRewriter {
  rewriteEvents(events: Buffer): Buffer {
    if (!marks.some((mark) => events.includes(mark))) return events;
    const blocks = events.toString().split('\n\n');
    return Buffer.from(blocks.map((block) => renamedBlock(block)).join('\n\n'));
  }

  rewriteBody(body: Buffer): Buffer {
    return Buffer.from(renamed(body.toString()));
  }
}

/** Most events of a stream are words of a text. */
const marks = ['"tool_calls"'] as const;
const data = 'data: ';

const renamedBlock = (block: string) =>
  block.startsWith(`${data}{`) ? data + renamed(block.slice(data.length)) : block;

function renamed(json: string): string {
  const answer = parse(json);
  if (answer === undefined || !Array.isArray(answer.choices)) return json;
  return JSON.stringify({ ...answer, choices: answer.choices.map(renamedChoice) });
}

function renamedChoice(choice: unknown): unknown {
  if (!isJsonObject(choice)) return choice;
  const { message, delta, finish_reason } = choice;
  return withFields(choice, {
    message: renamedMessage(message),
    delta: renamedMessage(delta),
    finish_reason: finish_reason === 'tool_calls' ? 'function_call' : finish_reason,
  });
}

function renamedMessage(message: unknown): unknown {
  if (!isJsonObject(message) || !Array.isArray(message.tool_calls)) return message;
  const [call] = message.tool_calls;
  return withFields(message, {
    tool_calls: undefined,
    function_call: (call as JsonObject | undefined)?.function,
  });
}

function parse(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
