import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, withFields } from '../json.ts';
import { type NormalizationNotes, printableMediaType, printableType } from '../normalization.ts';
import { repairInput } from '../repair-json.ts';

/** A block of a user's message as blocks that llama-server reads. */
export function userBlock(block: unknown, place: string): unknown {
  const { type, content } = requireBlock(block, place);
  if (type !== 'tool_result') return contentBlock(block, place);
  if (!Array.isArray(content)) return block;
  const parts = mapList(content, (part, index) => contentBlock(part, `${place}.content[${index}]`));
  return withFields(block as JsonObject, { content: parts });
}

/** A block of the model's own message as blocks that llama-server reads; undefined where it has nothing for the model. */
export function assistantBlock(block: unknown, place: string, notes: NormalizationNotes): unknown {
  const known = requireBlock(block, place);
  const { type, content } = known;
  // It is encrypted, and means nothing to another model.
  if (type === 'redacted_thinking') return undefined;
  if (type === 'thinking') return block;
  if (type === 'tool_use' || type === 'server_tool_use' || type === 'mcp_tool_use') {
    const input = repairInput(known.input);
    if (input !== known.input) notes.repaired += 1;
    return withFields(known, { type: 'tool_use', input });
  }
  // The summary of a conversation that was compacted.
  if (type === 'compaction' && typeof content === 'string') return { type: 'text', text: content };
  if (isServerToolResult(known))
    return withFields(known, { type: 'tool_result', content: resultText(content) });
  return contentBlock(block, place);
}

export const isToolResult = (block: unknown) => isJsonObject(block) && block.type === 'tool_result';

function requireBlock(block: unknown, place: string): JsonObject {
  if (isJsonObject(block)) return block;
  throw invalidValue(place, "a block: an object with a 'type'", block);
}

/** What a user or a tool may send the model. */
function contentBlock(block: unknown, place: string): unknown {
  const known = requireBlock(block, place);
  switch (known.type) {
    case 'text':
      if (typeof known.text !== 'string') throw invalidValue(`${place}.text`, 'a string', known.text);
      return block;
    case 'image':
      rejectStoredImage(known.source, `${place}.source`);
      return block;
    case 'document':
      return contentBlocks(documentBlocks(known, place), `${place}.source.content`);
    case 'search_result':
      return contentBlocks(searchResultBlocks(known, place), `${place}.content`);
    case 'tool_reference':
      return { type: 'text', text: `The tool ${known.tool_name} is there to be called.` };
    default:
      throw unsupportedValue(
        place,
        `has an unsupported type${printableType(known.type)}. Send its text, or remove it.`,
      );
  }
}

/** The content of a document consists of blocks, behind one block for its title. */
const contentBlocks = (blocks: readonly object[], place: string) =>
  blocks.flatMap((block, index) => contentBlock(block, `${place}[${index - 1}]`));

function rejectStoredImage(source: unknown, place: string): void {
  const type = isJsonObject(source) ? source.type : undefined;
  if (type !== 'base64' && type !== 'url')
    throw unsupportedValue(
      place,
      'does not contain the image, and this server stores no images. Send it as base64.',
    );
}

/** A document as blocks that llama-server reads: its title and its text, marked as such for the model. */
function documentBlocks(document: JsonObject, place: string): object[] {
  const head = ['<document>', tag('title', document.title), tag('context', document.context)];
  const content = documentContent(document.source, `${place}.source`);
  return [textBlock(`${head.join('')}\n`), ...content, textBlock('\n</document>')];
}

function documentContent(source: unknown, place: string): object[] {
  if (!isJsonObject(source)) throw invalidValue(place, 'the source of the document, an object', source);
  const { type, data, content } = source;
  if (type === 'text' && typeof data === 'string') return [textBlock(data)];
  if (type === 'content' && typeof content === 'string') return [textBlock(content)];
  if (type === 'content' && Array.isArray(content)) return content as object[];
  throw unsupportedValue(
    place,
    `${describeSource(source)}, which llama-server cannot read. Send its text (type: 'text'), or its pages as images.`,
  );
}

function describeSource({ type, media_type }: JsonObject): string {
  if (type === 'base64') return `is a file${printableMediaType(media_type)}`;
  if (type === 'file') return 'names a stored file';
  return type === 'url' ? 'is a URL' : 'has an unknown type';
}

/** The result of a client's own search: what was found, and where. */
function searchResultBlocks({ title, source, content }: JsonObject, place: string): object[] {
  if (!Array.isArray(content)) throw invalidValue(`${place}.content`, 'a list of text blocks', content);
  const head = ['<search_result>', tag('title', title), tag('source', source)];
  return [textBlock(`${head.join('')}\n`), ...(content as object[]), textBlock('\n</search_result>')];
}

const textBlock = (text: string) => ({ type: 'text', text });

const tag = (name: string, value: unknown) =>
  typeof value === 'string' && value !== '' ? `\n<${name}>${value}</${name}>` : '';

/** The result of a tool that ran at Anthropic, in a conversation that began there. */
const isServerToolResult = ({ type }: JsonObject) =>
  typeof type === 'string' && type.endsWith('_tool_result');

function resultText(content: unknown): string {
  const parts = Array.isArray(content) ? content : [content];
  const texts = parts.map((part) =>
    isJsonObject(part) && part.type === 'text' ? part.text : toReadableJson(part),
  );
  return texts.join('\n');
}

/** Without what only Anthropic can read. */
const toReadableJson = (part: unknown) =>
  JSON.stringify(part, (name, value) => (name.startsWith('encrypted_') ? undefined : value)) ?? '';
