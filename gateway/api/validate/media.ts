import type { BackendProps } from '../../../health/props.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { mediaNotSupported, remoteMediaNotAllowed } from '../../errors/catalogue.ts';
import { isJsonObject } from '../json.ts';

export type Modalities = BackendProps['modalities'];
export type Medium = 'image' | 'audio' | 'video';

/**
 * Rejects media that a request names by URL: llama-server would fetch them from wherever the client says, from the server's
 * position in the network (SSRF). Only `data:` URLs and plain base64 are accepted.
 *
 * llama-server fetches for parts of the content of a message (chats), of an item or a tool's output (Responses), and for images
 * in content and tool results (Anthropic). These places are searched, in every part except those known to be text. All other
 * places (metadata, arguments of tools, labels, documents) are text for llama-server, whatever they contain.
 */
export function rejectRemoteMedia(fields: JsonObject): void {
  for (const name of ['messages', 'input', 'system'] as const) {
    const list = fields[name];
    if (Array.isArray(list)) rejectRemoteMediaIn(list, name);
  }
  for (const name of ['prompt', 'content'] as const) {
    const place = findInPrompt(fields[name]);
    if (place !== undefined) throw remoteMediaNotAllowed(name + place);
  }
}

/** The same for a list of messages or items. `name`: what the client calls the list. */
export function rejectRemoteMediaIn(list: readonly unknown[], name: string): void {
  for (let index = 0; index < list.length; index++) {
    const place = findInHolder(list[index]);
    if (place !== undefined) throw remoteMediaNotAllowed(`${name}[${index}]${place}`);
  }
}

/** The members that hold a list of parts, in a message, an item or a tool's result. */
const holders = ['content', 'output'] as const;
/** Parts that are text or calls, and hold no media except in a list of parts of their own. */
const textTypes: ReadonlySet<unknown> = new Set([
  'text',
  'input_text',
  'output_text',
  'refusal',
  'thinking',
  'redacted_thinking',
  'reasoning_text',
  'summary_text',
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'tool_use',
  'tool_result',
  'server_tool_use',
  'mcp_tool_use',
  'mcp_tool_result',
  'search_result',
]);

/**
 * The place of the first address, such as `.content[1].image_url.url`. The path is put together on the way back only:
 * a body of millions of small values must not delay other requests.
 */
function findInHolder(holder: unknown): string | undefined {
  if (!isJsonObject(holder)) return undefined;
  for (const name of holders) {
    const held = holder[name];
    const place = Array.isArray(held) ? findInParts(held) : undefined;
    if (place !== undefined) return `.${name}${place}`;
  }
  return undefined;
}

function findInParts(parts: readonly unknown[]): string | undefined {
  for (let index = 0; index < parts.length; index++) {
    const place = findInPart(parts[index]) ?? findInHolder(parts[index]);
    if (place !== undefined) return `[${index}]${place}`;
  }
  return undefined;
}

const mediaFields = [
  'image_url',
  'input_image',
  'input_audio',
  'audio_url',
  'input_video',
  'video_url',
  'input_file',
  'file_url',
  'file',
] as const;
const addressFields = ['url', 'data', 'file_url', 'file_data'] as const;

function findInPart(part: unknown): string | undefined {
  if (!isJsonObject(part) || textTypes.has(part.type)) return undefined;
  for (const name of mediaFields) {
    const place = findInMedia(part[name]);
    if (place !== undefined) return `.${name}${place}`;
  }
  return findInSource(part.source);
}

function findInMedia(media: unknown): string | undefined {
  if (typeof media === 'string') return isRemote(media) ? '' : undefined;
  if (!isJsonObject(media)) return undefined;
  const field = addressFields.find((name) => isRemote(media[name]));
  return field && `.${field}`;
}

/** The source of an Anthropic image or document. A source of another type is the content itself; a string is a label. */
function findInSource(source: unknown): string | undefined {
  if (!isJsonObject(source)) return undefined;
  if (source.type === 'content') {
    const place = Array.isArray(source.content) ? findInParts(source.content) : undefined;
    return place && `.source.content${place}`;
  }
  const isData = source.type === 'text' || source.type === 'base64';
  const field = isRemote(source.url) ? 'url' : !isData && isRemote(source.data) ? 'data' : undefined;
  return field && `.source.${field}`;
}

/** llama-server's own format: media beside a prompt. It expects base64 there; addresses are rejected all the same. */
function findInPrompt(prompt: unknown): string | undefined {
  const prompts = Array.isArray(prompt) ? prompt : [prompt];
  for (const each of prompts) {
    const media = isJsonObject(each) ? each.multimodal_data : undefined;
    if (Array.isArray(media) && media.some(isRemote)) return '.multimodal_data';
  }
  return undefined;
}

/**
 * Anything with a scheme other than `data:` (http, https, file, and what a later llama-server may support), and anything that
 * begins with `http`, which is all that llama-server checks before it fetches.
 */
function isRemote(address: unknown): boolean {
  if (typeof address !== 'string') return false;
  return /^\s*(?:http|(?!data:)[a-z][a-z0-9+.-]*:)/i.test(address);
}

/**
 * Rejects an image, audio or video that the model cannot take, before the request queues: llama-server would read the whole
 * request and respond with 500. The places are those of rejectRemoteMedia. Undefined `modalities` are not known yet.
 */
export function rejectUnsupportedMedia(fields: JsonObject, modalities: Modalities | undefined): void {
  if (modalities === undefined || (modalities.vision && modalities.audio && modalities.video)) return;
  for (const name of ['messages', 'input'] as const) {
    const list = fields[name];
    if (!Array.isArray(list)) continue;
    for (let index = 0; index < list.length; index++) {
      const found = findUnsupported(list[index], modalities);
      if (found !== undefined) throw mediaNotSupported(`${name}[${index}]${found.place}`, found.medium);
    }
  }
}

interface UnsupportedMedium {
  readonly place: string;
  readonly medium: Medium;
}

/** The types of parts, in all APIs. */
const mediaTypes = new Map<unknown, Medium>([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['image', 'image'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
  ['input_video', 'video'],
  ['video_url', 'video'],
]);

/** Searches the parts of a message, an item or a tool's result; a part may be such a result itself. */
function findUnsupported(holder: unknown, modalities: Modalities): UnsupportedMedium | undefined {
  if (!isJsonObject(holder)) return undefined;
  for (const name of holders) {
    const parts = holder[name];
    if (!Array.isArray(parts)) continue;
    for (let index = 0; index < parts.length; index++) {
      const found = findUnsupportedPart(parts[index], modalities);
      if (found !== undefined) return { ...found, place: `.${name}[${index}]${found.place}` };
    }
  }
  return undefined;
}

function findUnsupportedPart(part: unknown, modalities: Modalities): UnsupportedMedium | undefined {
  const medium = isJsonObject(part) ? mediaTypes.get(part.type) : undefined;
  if (medium === undefined) return findUnsupported(part, modalities);
  return isSupported(modalities, medium) ? undefined : { place: '', medium };
}

function isSupported({ vision, audio, video = false }: Modalities, medium: Medium): boolean {
  if (medium === 'image') return vision;
  return medium === 'audio' ? audio : video;
}
