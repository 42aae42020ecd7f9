import { remoteMediaNotAllowed } from '../refusal/catalogue.ts';

/**
 * llama-server fetches media that a request names by URL, from wherever the client says and with the server's network
 * position (SSRF). Only `data:` URLs and plain base64 pass.
 *
 * The fields looked at: `image_url`, `input_audio`, `input_video`, `video_url`, `audio_url` (chat), `image_url` and
 * `file_url` as a text (Responses), `source.url` (Anthropic), at any depth of the messages, as tool results nest them too.
 */
export function refuseRemoteMedia(fields: Readonly<Record<string, unknown>>): void {
  for (const name of ['messages', 'input', 'system'] as const) {
    const place = placeOfRemote(fields[name]);
    if (place !== undefined) throw remoteMediaNotAllowed(name + place);
  }
}

const mediaFields = new Set([
  'image_url',
  'input_image',
  'input_audio',
  'audio_url',
  'input_video',
  'video_url',
  'input_file',
  'file_url',
  'file',
  'source',
]);
const addressFields = ['url', 'data', 'file_url', 'file_data'] as const;

/**
 * Where the first address stands, such as `[0].content[1].image_url.url`. The way there is written down on the way back
 * only: a body of millions of small values must not hold up everybody else.
 */
function placeOfRemote(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Array.isArray(value) ? placeInList(value) : placeInObject(value as Record<string, unknown>);
}

function placeInList(list: readonly unknown[]): string | undefined {
  for (let index = 0; index < list.length; index++) {
    const place = placeOfRemote(list[index]);
    if (place !== undefined) return `[${index}]${place}`;
  }
  return undefined;
}

function placeInObject(object: Readonly<Record<string, unknown>>): string | undefined {
  for (const name in object) {
    if (isForTools(name, object)) continue;
    const inner = object[name];
    const place = (mediaFields.has(name) ? placeInMedia(inner) : undefined) ?? placeOfRemote(inner);
    if (place !== undefined) return `.${name}${place}`;
  }
  return undefined;
}

/** What a model has handed to a tool is text to llama-server, whatever it is called. */
function isForTools(name: string, { type }: Readonly<Record<string, unknown>>): boolean {
  return name === 'arguments' || (name === 'input' && type === 'tool_use');
}

function placeInMedia(media: unknown): string | undefined {
  if (typeof media === 'string') return isRemote(media) ? '' : undefined;
  if (typeof media !== 'object' || media === null) return undefined;
  const named = media as Readonly<Record<string, unknown>>;
  const field = addressFields.find((name) => {
    const address = named[name];
    return typeof address === 'string' && isRemote(address);
  });
  return field && `.${field}`;
}

/**
 * Anything with a scheme other than `data:`: http, https, file, and what a later llama-server may learn. And whatever
 * begins with `http`, which is all that it looks at before it fetches.
 */
function isRemote(address: string): boolean {
  const start = address.trimStart().slice(0, 64).toLowerCase();
  return start.startsWith('http') || /^(?!data:)[a-z][a-z0-9+.-]*:/.test(start);
}
