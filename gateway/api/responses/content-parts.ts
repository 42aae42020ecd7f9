import { invalidValue, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, withFields } from '../json-object.ts';

/** The content of a message to the model. */
export function normalizeInputParts(content: unknown, place: string): unknown {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalidValue(place, 'a text, or a list of parts');
  return mapList(content, (part, index) => inputPart(part, `${place}[${index}]`));
}

/** The content of a message by the model: its texts, and what it has refused with. */
export function normalizeOutputParts(content: unknown, place: string): unknown {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalidValue(place, 'a text, or a list of parts');
  return mapList(content, (part, index) => outputPart(part, `${place}[${index}]`));
}

/** What a function gave back: a text, or a list of parts. */
export function normalizeToolOutput(output: unknown, place: string): unknown {
  if (output === undefined || output === null) return '';
  if (typeof output === 'string') return output;
  if (!Array.isArray(output)) throw invalidValue(place, 'a text, or a list of parts');
  return mapList(output, (part, index) => inputPart(part, `${place}[${index}]`));
}

const texts: ReadonlySet<unknown> = new Set([undefined, null, 'text', 'input_text', 'output_text']);

function inputPart(part: unknown, place: string): unknown {
  if (typeof part === 'string') return { type: 'input_text', text: part };
  if (!isJsonObject(part)) throw invalidValue(place, 'a part: an object with a type');
  const { type, text, image_url, file_id } = part;
  if (texts.has(type) && typeof text === 'string') return withFields(part, { type: 'input_text' });
  if (type === 'refusal' && typeof part.refusal === 'string')
    return { type: 'input_text', text: part.refusal };
  if (type === 'input_image') {
    if (typeof image_url === 'string') return part;
    const why =
      typeof file_id === 'string' ? 'names a file, and files are not kept here' : 'has no image_url';
    throw unsupportedValue(place, `${why}. Send the image in image_url, as a data: URL.`);
  }
  if (type === 'input_file')
    throw unsupportedValue(
      place,
      'is a file, which llama-server cannot read. Send its text, or its pages as images.',
    );
  throw invalidValue(place, "a part of the type 'input_text', with its text, or 'input_image'");
}

function outputPart(part: unknown, place: string): unknown {
  if (typeof part === 'string') return { type: 'output_text', text: part };
  if (!isJsonObject(part)) throw invalidValue(place, 'a part: an object with a type');
  const { type, text, refusal } = part;
  if (type === 'refusal' && typeof refusal === 'string') return { type: 'output_text', text: refusal };
  if (!texts.has(type) || typeof text !== 'string')
    throw invalidValue(place, "a part of the type 'output_text', with its text, or 'refusal'");
  // llama-server reads the text of an input here, too.
  return type === 'input_text' ? part : withFields(part, { type: 'output_text' });
}
