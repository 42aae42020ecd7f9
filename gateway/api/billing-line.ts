import { isJsonObject, withFields } from './json-object.ts';

/**
 * Removes the line that Claude Code writes before its system prompt, `x-anthropic-billing-header: …; cch=<nonce>;`. It is
 * for Anthropic's billing and differs from request to request, so that nothing behind it would be found in the prompt cache.
 * Undefined where the prompt has nothing else.
 */
export function stripBillingLine(system: unknown): unknown {
  if (typeof system === 'string') return stripFromText(system);
  if (!Array.isArray(system)) return system;
  let first = 0;
  let rest: unknown;
  for (; first < system.length; first++) {
    rest = stripFromBlock(system[first]);
    if (rest !== undefined) break;
  }
  if (first === system.length && first > 0) return undefined;
  return first === 0 && rest === system[0] ? system : [rest, ...system.slice(first + 1)];
}

function stripFromBlock(block: unknown): unknown {
  if (!isJsonObject(block) || typeof block.text !== 'string') return block;
  const text = stripFromText(block.text);
  return text === undefined ? undefined : withFields(block, { text });
}

const prefix = 'x-anthropic-billing-header:';
/** The names and values of the line, each ended by `;`, the end of the line or the end of the text. */
const line = /^x-anthropic-billing-header:(?:[ \t]*[\w.-]+=[^;\r\n]*(?:;|(?=[\r\n])|$))*[ \t;]*(?:\r?\n)*/;

function stripFromText(text: string): string | undefined {
  if (!text.startsWith(prefix)) return text;
  const rest = text.replace(line, '');
  return rest === '' ? undefined : rest;
}
