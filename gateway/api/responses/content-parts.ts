import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, withFields } from '../json-object.ts';

/** The content of a message to the model. */
export const normalizeInputParts = (content: unknown, place: string) =>
  normalizeParts(content, place, inputPart);

/** The content of a message by the model: its texts and refusals. */
export const normalizeOutputParts = (content: unknown, place: string) =>
  normalizeParts(content, place, outputPart);

/** The output of a function: a text, or a list of parts. */
export function normalizeToolOutput(output: unknown, place: string): unknown {
  return output === undefined || output === null ? '' : normalizeParts(output, place, inputPart);
}

function normalizeParts(
  content: unknown,
  place: string,
  normalizePart: (part: unknown, place: string) => unknown,
): unknown {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalidValue(place, 'a string, or a list of parts');
  return mapList(content, (part, index) => normalizePart(part, `${place}[${index}]`));
}

const textTypes: ReadonlySet<unknown> = new Set([undefined, null, 'text', 'input_text', 'output_text']);

function inputPart(part: unknown, place: string): unknown {
  if (typeof part === 'string') return { type: 'input_text', text: part };
  if (!isJsonObject(part)) throw invalidValue(place, "a part: an object with a 'type'");
  const { type, text, image_url, file_id } = part;
  if (textTypes.has(type) && typeof text === 'string') return withFields(part, { type: 'input_text' });
  if (type === 'refusal' && typeof part.refusal === 'string')
    return { type: 'input_text', text: part.refusal };
  if (type === 'input_image') {
    if (typeof image_url === 'string') return part;
    const why =
      typeof file_id === 'string' ? 'names a file, but this server stores no files' : "has no 'image_url'";
    throw unsupportedValue(place, `${why}. Send the image in 'image_url', as a data: URL.`);
  }
  if (type === 'input_file')
    throw unsupportedValue(
      place,
      'is a file, which llama-server cannot read. Send its text, or its pages as images.',
    );
  throw invalidValue(place, "a part of type 'input_text' (with 'text') or 'input_image' (with 'image_url')");
}

function outputPart(part: unknown, place: string): unknown {
  if (typeof part === 'string') return { type: 'output_text', text: part };
  if (!isJsonObject(part)) throw invalidValue(place, "a part: an object with a 'type'");
  const { type, text, refusal } = part;
  if (type === 'refusal' && typeof refusal === 'string') return { type: 'output_text', text: refusal };
  if (!textTypes.has(type) || typeof text !== 'string')
    throw invalidValue(place, "a part of type 'output_text' (with 'text') or 'refusal' (with 'refusal')");
  // llama-server reads input_text here as well.
  return type === 'input_text' ? part : withFields(part, { type: 'output_text' });
}
