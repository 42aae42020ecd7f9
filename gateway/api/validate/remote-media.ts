import { remoteMediaNotAllowed } from '../../errors/catalogue.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * llama-server fetches media that a request names by URL, from wherever the client says and with the server's network
 * position (SSRF). Only `data:` URLs and plain base64 pass.
 *
 * It fetches for parts of the content of a message (in chats), of an item or of a tool's output (Responses), and for images
 * in content and tool results (Anthropic): so these places are looked at, in every part but those known to be text. What
 * stands elsewhere (metadata, arguments of tools, labels, documents) is text to it, whatever it looks like.
 */
export function rejectRemoteMedia(fields: Fields): void {
  for (const name of ['messages', 'input', 'system'] as const) {
    const list = fields[name];
    if (!Array.isArray(list)) continue;
    for (let index = 0; index < list.length; index++) {
      const place = placeInHolder(list[index]);
      if (place !== undefined) throw remoteMediaNotAllowed(`${name}[${index}]${place}`);
    }
  }
  for (const name of ['prompt', 'content'] as const) {
    const place = placeInPrompt(fields[name]);
    if (place !== undefined) throw remoteMediaNotAllowed(name + place);
  }
}

/** What holds a list of parts: a message, an item, a tool's result. */
const holders = ['content', 'output'] as const;
/** The parts that are text or calls, and hold no media but in a list of parts of their own. */
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
 * Where the first address stands, such as `.content[1].image_url.url`. The way there is written down on the way back
 * only: a body of millions of small values must not hold up everybody else.
 */
function placeInHolder(holder: unknown): string | undefined {
  if (!isFields(holder)) return undefined;
  for (const name of holders) {
    const held = holder[name];
    const place = Array.isArray(held) ? placeInParts(held) : undefined;
    if (place !== undefined) return `.${name}${place}`;
  }
  return undefined;
}

function placeInParts(parts: readonly unknown[]): string | undefined {
  for (let index = 0; index < parts.length; index++) {
    const place = placeInPart(parts[index]) ?? placeInHolder(parts[index]);
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

function placeInPart(part: unknown): string | undefined {
  if (!isFields(part) || textTypes.has(part.type)) return undefined;
  for (const name of mediaFields) {
    const place = placeInMedia(part[name]);
    if (place !== undefined) return `.${name}${place}`;
  }
  return placeInSource(part.source);
}

function placeInMedia(media: unknown): string | undefined {
  if (typeof media === 'string') return isRemote(media) ? '' : undefined;
  if (!isFields(media)) return undefined;
  const field = addressFields.find((name) => isRemote(media[name]));
  return field && `.${field}`;
}

/** Of an Anthropic image or document. A source of any other type is the content itself, and a text is a label. */
function placeInSource(source: unknown): string | undefined {
  if (!isFields(source)) return undefined;
  if (source.type === 'content') {
    const place = Array.isArray(source.content) ? placeInParts(source.content) : undefined;
    return place && `.source.content${place}`;
  }
  const isData = source.type === 'text' || source.type === 'base64';
  const field = isRemote(source.url) ? 'url' : !isData && isRemote(source.data) ? 'data' : undefined;
  return field && `.source.${field}`;
}

/** Of llama-server's own: media beside a prompt. It takes base64 there; addresses are refused all the same. */
function placeInPrompt(prompt: unknown): string | undefined {
  const named = Array.isArray(prompt) ? prompt : [prompt];
  for (const one of named) {
    const media = isFields(one) ? one.multimodal_data : undefined;
    if (Array.isArray(media) && media.some(isRemote)) return '.multimodal_data';
  }
  return undefined;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Anything with a scheme other than `data:`: http, https, file, and what a later llama-server may learn. And whatever
 * begins with `http`, which is all that it looks at before it fetches.
 */
function isRemote(address: unknown): boolean {
  if (typeof address !== 'string') return false;
  return /^\s*(?:http|(?!data:)[a-z][a-z0-9+.-]*:)/i.test(address);
}
