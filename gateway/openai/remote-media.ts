import { remoteMediaNotAllowed } from '../refusal/catalogue.ts';

/**
 * llama-server fetches media that a request names by URL, from wherever the client says and with the server's network
 * position (SSRF). Only `data:` URLs and plain base64 pass.
 *
 * The fields looked at: `image_url`, `input_audio`, `input_video`, `video_url`, `audio_url` (chat), `image_url` as a
 * text (Responses), `source.url` (Anthropic), at any depth of the messages, as tool results nest them too.
 */
export function refuseRemoteMedia(fields: Readonly<Record<string, unknown>>): void {
  for (const name of ['messages', 'input', 'system'] as const) {
    const value = fields[name];
    if (typeof value === 'object' && value !== null) look(value, name);
  }
}

const mediaFields = new Set([
  'image_url',
  'input_image',
  'input_audio',
  'audio_url',
  'input_video',
  'video_url',
  'source',
]);
const addressFields = ['url', 'data'] as const;

function look(value: object, at: string): void {
  for (const [name, inner] of Object.entries(value)) {
    const where = Array.isArray(value) ? `${at}[${name}]` : `${at}.${name}`;
    if (mediaFields.has(name)) refuseAddress(inner, where);
    if (typeof inner === 'object' && inner !== null) look(inner, where);
  }
}

function refuseAddress(media: unknown, at: string): void {
  if (typeof media === 'string') refuseRemote(media, at);
  else if (typeof media === 'object' && media !== null) {
    for (const name of addressFields) {
      const address = (media as Record<string, unknown>)[name];
      if (typeof address === 'string') refuseRemote(address, `${at}.${name}`);
    }
  }
}

/** Anything with a scheme other than `data:`: http, https, file, and what a later llama-server may learn. */
function refuseRemote(address: string, at: string): void {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'data') throw remoteMediaNotAllowed(at);
}
