import { describe, expect, it } from 'vitest';
import { type Modalities, rejectUnsupportedMedia } from './media.ts';

const deaf = { vision: false, audio: false };

function placeOf(fields: Record<string, unknown>, modalities: Modalities = deaf) {
  try {
    rejectUnsupportedMedia(fields, modalities);
    return undefined;
  } catch (error) {
    const { param, status, code } = error as { param: string; status: number; code: string };
    expect([status, code]).toEqual([400, 'media_not_supported']);
    return param;
  }
}

const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
const sound = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } };
const film = { type: 'input_video', input_video: { data: 'AAAA' } };
const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
const say = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
const text = { type: 'text', text: 'image_url' };

describe('media that the model cannot take', () => {
  it.each([
    ['a picture in a chat', say(text, image), 'messages[0].content[1]'],
    ['a sound', say(sound), 'messages[0].content[0]'],
    ['a film', say(film), 'messages[0].content[0]'],
    ['a picture in a message', say(picture), 'messages[0].content[0]'],
    [
      'a picture in the result of a tool',
      say({ type: 'tool_result', tool_use_id: 'a', content: [text, picture] }),
      'messages[0].content[0].content[1]',
    ],
    [
      'a picture in Responses',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:x' }] }] },
      'input[0].content[0]',
    ],
    [
      'a picture in the output of a function',
      { input: [{ type: 'function_call_output', output: [{ type: 'input_image', image_url: 'data:x' }] }] },
      'input[0].output[0]',
    ],
  ])('are found: %s', (_, fields, place) => expect(placeOf(fields)).toBe(place));

  it.each([
    ['text alone', say(text)],
    ['a text in one piece', { messages: [{ role: 'user', content: 'image_url' }] }],
    ['what a tool is given', say({ type: 'tool_use', input: { type: 'image', content: 'x' } })],
    ['anything odd', { messages: [null, 5, [image], { content: { type: 'image' } }], input: 'x' }],
  ])('are not found in %s', (_, fields) => expect(placeOf(fields)).toBeUndefined());

  it('depend on the modalities that the engine reports', () => {
    expect(placeOf(say(image), { vision: true, audio: false })).toBeUndefined();
    expect(placeOf(say(sound), { vision: true, audio: false })).toBe('messages[0].content[0]');
    expect(placeOf(say(image, sound), { vision: true, audio: true })).toBeUndefined();
    expect(placeOf(say(film), { vision: true, audio: true })).toBe('messages[0].content[0]');
    expect(placeOf(say(film), { vision: true, audio: true, video: true })).toBeUndefined();
  });
});

it('all media are accepted before the engine has reported its modalities', () => {
  expect(() => rejectUnsupportedMedia(say(image), undefined)).not.toThrow();
});
