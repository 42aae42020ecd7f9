import type { BackendProps } from '../../../health/props.ts';
import { mediaNotSupported } from '../../errors/catalogue.ts';

export type Modalities = BackendProps['modalities'];
export type Medium = 'image' | 'audio' | 'video';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Refuses a picture, sound or film that the model cannot take before anybody waits for it: llama-server reads the whole
 * request, and answers 500. It looks for them where refuseRemoteMedia does.
 */
export function rejectUnsupportedMedia(fields: Fields, modalities: Modalities | undefined): void {
  if (modalities === undefined || (modalities.vision && modalities.audio && modalities.video)) return;
  for (const name of ['messages', 'input'] as const) {
    const list = fields[name];
    if (!Array.isArray(list)) continue;
    for (let index = 0; index < list.length; index++) {
      const found = findInHolder(list[index], modalities);
      if (found !== undefined) throw mediaNotSupported(`${name}[${index}]${found.place}`, found.medium);
    }
  }
}

interface Found {
  readonly place: string;
  readonly medium: Medium;
}

/** The types of parts, in the words of all APIs. */
const mediaTypes = new Map<unknown, Medium>([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['image', 'image'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
  ['input_video', 'video'],
  ['video_url', 'video'],
]);

/** A message, an item or the result of a tool holds a list of parts, and a part may be such a result. */
function findInHolder(holder: unknown, modalities: Modalities): Found | undefined {
  if (!isFields(holder)) return undefined;
  for (const name of ['content', 'output'] as const) {
    const parts = holder[name];
    if (!Array.isArray(parts)) continue;
    for (let index = 0; index < parts.length; index++) {
      const found = findInPart(parts[index], modalities);
      if (found !== undefined) return { ...found, place: `.${name}[${index}]${found.place}` };
    }
  }
  return undefined;
}

function findInPart(part: unknown, modalities: Modalities): Found | undefined {
  const medium = isFields(part) ? mediaTypes.get(part.type) : undefined;
  if (medium === undefined) return findInHolder(part, modalities);
  return takes(modalities, medium) ? undefined : { place: '', medium };
}

function takes({ vision, audio, video = false }: Modalities, medium: Medium): boolean {
  if (medium === 'image') return vision;
  return medium === 'audio' ? audio : video;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
