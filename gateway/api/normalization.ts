import { isJsonObject, withFields } from './json.ts';

/** How the response to a converted request is converted back. */
export type ResponseConversion = 'legacy function call' | 'message';

/** What a client calls a tool that llama-server was given under another name, or as a function. */
export interface ToolAlias {
  readonly type: 'function' | 'custom';
  readonly name: string;
  readonly namespace: string | undefined;
}

/** By the names that llama-server was given. */
export type ToolAliases = ReadonlyMap<string, ToolAlias>;

/** llama-server has one list of names: the name of a tool in a namespace contains both. */
export function qualifiedToolName(name: string, namespace: unknown): string {
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}__${name}` : name;
}

/** What normalization did to a request, apart from its fields. */
export interface NormalizationNotes {
  /** How many damaged or missing parts of a replayed history were repaired. */
  repaired: number;
  /** The types of tools that run elsewhere, which the model is not offered. */
  readonly droppedTools: Set<string>;
  readonly toolAliases: Map<string, ToolAlias>;
  responseConversion?: ResponseConversion;
  /** The documents of a ranking that the response is to contain. */
  rankedDocuments?: readonly unknown[];
}

export const createNotes = (): NormalizationNotes => ({
  repaired: 0,
  droppedTools: new Set(),
  toolAliases: new Map(),
});

/** A header value, so the type is cut and cleaned. */
const MAX_TYPE_LENGTH = 64;

export function noteDroppedTool(notes: NormalizationNotes, type: unknown): void {
  notes.droppedTools.add(
    String(type)
      .slice(0, MAX_TYPE_LENGTH)
      .replace(/[^\w.-]/g, '?'),
  );
}

export const noHeaders: Readonly<Record<string, string>> = {};

/** Response headers that tell the client what was changed. */
export function notesToHeaders({
  repaired,
  droppedTools,
}: NormalizationNotes): Readonly<Record<string, string>> {
  if (repaired === 0 && droppedTools.size === 0) return noHeaders;
  return {
    ...(repaired > 0 ? { 'x-corral-repaired': String(repaired) } : {}),
    ...(droppedTools.size > 0 ? { 'x-corral-dropped-tools': [...droppedTools].join(', ') } : {}),
  };
}

/** The form of the names that the APIs give their items and blocks: some words, the last one from a short list. */
const typeName =
  /^(?:[a-z]{1,20}_){1,4}(?:call|output|use|result|image|file|audio|video|text|reference|block|upload|trigger|item|editing|list_tools|response)$/;

/**
 * The type of an item for an error about it, in brackets, where it looks like a type of an API. Any other value may be
 * part of a prompt, and is not repeated.
 */
export function printableType(type: unknown): string {
  return typeof type === 'string' && typeName.test(type) ? ` (${type})` : '';
}

const mediaType = /^(?:application|audio|image|text|video)\/[\w.+-]{1,40}$/;

/** The same for the media type of a file. */
export function printableMediaType(type: unknown): string {
  return typeof type === 'string' && mediaType.test(type) ? ` (${type})` : '';
}

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

export const hasBillingLine = (text: string): boolean => text.startsWith(prefix);

function stripFromText(text: string): string | undefined {
  if (!hasBillingLine(text)) return text;
  const rest = text.replace(line, '');
  return rest === '' ? undefined : rest;
}
