import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, type JsonObject } from '../json-object.ts';
import { printableMediaType } from '../printable-type.ts';

const text = (words: string) => ({ type: 'text', text: words });

/** A document as blocks that llama-server reads: its title and its text, marked as such for the model. */
export function documentBlocks(document: JsonObject, place: string): object[] {
  const head = ['<document>', named('title', document.title), named('context', document.context)];
  return [
    text(`${head.join('')}\n`),
    ...contentOf(document.source, `${place}.source`),
    text('\n</document>'),
  ];
}

function contentOf(source: unknown, place: string): object[] {
  if (!isJsonObject(source)) throw invalidValue(place, 'the source of the document');
  const { type, data, content } = source;
  if (type === 'text' && typeof data === 'string') return [text(data)];
  if (type === 'content' && typeof content === 'string') return [text(content)];
  if (type === 'content' && Array.isArray(content)) return content as object[];
  const named = ['file', 'url'].find((known) => known === type);
  const kind =
    type === 'base64' ? `a file${printableMediaType(source.media_type)}` : `by ${named ?? 'something else'}`;
  throw unsupportedValue(
    place,
    `is ${kind}, which llama-server cannot read. Send its text (type: text), or its pages as images.`,
  );
}

/** The result of a client's own search: what was found, and where. */
export function searchResultBlocks({ title, source, content }: JsonObject, place: string): object[] {
  if (!Array.isArray(content)) throw invalidValue(`${place}.content`, 'a list of text blocks');
  const head = ['<search_result>', named('title', title), named('source', source)];
  return [text(`${head.join('')}\n`), ...(content as object[]), text('\n</search_result>')];
}

const named = (name: string, value: unknown) =>
  typeof value === 'string' && value !== '' ? `\n<${name}>${value}</${name}>` : '';
