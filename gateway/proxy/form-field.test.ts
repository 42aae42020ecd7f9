import { expect, it } from 'vitest';
import { readFormField } from './form-field.ts';

const part = (head: string, content: string) =>
  `--b\r\ncontent-disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
const form = (...parts: readonly string[]) => Buffer.from(`${parts.join('')}--b--\r\n`);

it('reads a text field of a form, wherever it stands', () => {
  const file = part('name="file"; filename="a.wav"', 'RIFF');
  const model = part('name="model"', 'whisper');
  expect(readFormField(form(file, model), 'model')).toBe('whisper');
  expect(readFormField(form(model, file), 'model')).toBe('whisper');
});

it('finds no field that is missing, cut off or too long for a name', () => {
  expect(readFormField(form(part('name="file"', 'x')), 'model')).toBeUndefined();
  expect(readFormField(Buffer.from('form-data; name="model"\r\n\r\nwhis'), 'model')).toBeUndefined();
  expect(readFormField(form(part('name="model"', 'x'.repeat(300))), 'model')).toBeUndefined();
});
