import { isJsonObject, withFields } from './json-object.ts';

/**
 * The system prompt without the line that Claude Code writes before it, `x-anthropic-billing-header: …; cch=<nonce>;`. It
 * is meant for Anthropic's billing and differs from request to request, so that nothing behind it would come from the
 * cache. Undefined where nothing else was said.
 */
export function stripBillingLine(system: unknown): unknown {
  if (typeof system === 'string') return textWithout(system);
  if (!Array.isArray(system)) return system;
  let first = 0;
  let rest: unknown;
  for (; first < system.length; first++) {
    rest = blockWithout(system[first]);
    if (rest !== undefined) break;
  }
  if (first === system.length && first > 0) return undefined;
  return first === 0 && rest === system[0] ? system : [rest, ...system.slice(first + 1)];
}

function blockWithout(block: unknown): unknown {
  if (!isJsonObject(block) || typeof block.text !== 'string') return block;
  const text = textWithout(block.text);
  return text === undefined ? undefined : withFields(block, { text });
}

const mark = 'x-anthropic-billing-header:';
/** The names and values of the line, each closed by `;`, the end of the line or the end of the text. */
const line = /^x-anthropic-billing-header:(?:[ \t]*[\w.-]+=[^;\r\n]*(?:;|(?=[\r\n])|$))*[ \t;]*(?:\r?\n)*/;

function textWithout(text: string): string | undefined {
  if (!text.startsWith(mark)) return text;
  const rest = text.replace(line, '');
  return rest === '' ? undefined : rest;
}
