import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readFileForm } from './file-form.ts';

const contentType = 'multipart/form-data; boundary=XX';

function part(name: string, content: string, filename?: string): string {
  const file = filename === undefined ? '' : `; filename="${filename}"`;
  return `--XX\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
}

async function* inPieces(text: string, size: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, { size = 7, type = contentType } = {}) {
  let content = '';
  const form = await readFileForm(inPieces(text, size), type, async (piece) => {
    await new Promise(setImmediate);
    content += piece;
  });
  return { filename: form.filename, fields: Object.fromEntries(form.fields), content };
}

const content = 'line one\r\n--XY\r\nline ü\n'.repeat(50);
const fields = { purpose: 'batch', 'expires_after[seconds]': '3600' };
const purpose = part('purpose', 'batch') + part('expires_after[seconds]', '3600');
const file = part('file', content, 'my "lines".jsonl'.replaceAll('"', '%22'));

it.each([1, 7, 100, 100_000])('a form that arrives in pieces of %d bytes is read', async (size) => {
  const filename = 'my %22lines%22.jsonl';
  expect(await read(`${purpose}${file}--XX--\r\n`, { size })).toEqual({ filename, fields, content });
  expect(await read(`${file}${purpose}--XX--`, { size })).toEqual({ filename, fields, content });
});

it('a file without a name, and one without content, are read', async () => {
  expect(await read(`${part('file', 'x')}--XX--`)).toEqual({ filename: '', fields: {}, content: 'x' });
  expect(await read(`${part('file', '', 'a')}--XX--`)).toEqual({ filename: 'a', fields: {}, content: '' });
});

it.each([
  ['has no boundary in its type', file, 'its Content-Type has no boundary', 'multipart/form-data'],
  ['is empty', '', 'it is incomplete'],
  ['is cut in the file', file.slice(0, 300), 'it is incomplete'],
  ['is cut after the file', file, 'it is incomplete'],
  ['is something else', '{"purpose":"batch"}', 'it is incomplete'],
  ['has no file', `${purpose}--XX--`, 'the field "file" is missing'],
  ['has two files', `${file}${file}--XX--`, 'it has more than one file'],
  ['has the file elsewhere', `${part('document', 'x', 'a.txt')}--XX--`, 'must be in the field "file"'],
  ['has a field twice', `${purpose}${purpose}${file}--XX--`, 'a field occurs twice'],
  ['has a huge field', `${part('purpose', 'x'.repeat(2000))}${file}--XX--`, 'more than 1024 bytes'],
  [
    'has many fields',
    `${Array.from({ length: 20 }, (_, n) => part(`f${n}`, '')).join('')}--XX--`,
    'too many fields',
  ],
])('a form that %s is rejected', async (_, text, problem, type = contentType) => {
  await expect(read(text, { type })).rejects.toMatchObject({
    status: 400,
    code: 'invalid_form',
    message: expect.stringContaining(problem),
  });
});

it('an error of the writer ends the form, after the write that failed', async () => {
  const form = readFileForm(inPieces(`${file}${purpose}--XX--`, 50), contentType, async () => {
    throw new Error('the disk is full');
  });
  await expect(form).rejects.toThrow('the disk is full');
});

it('a body that ends early stops the writer before the form fails', async () => {
  let isWriting = false;
  async function* body() {
    yield Buffer.from(file.slice(0, 200));
    throw new Error('the client left');
  }
  const form = readFileForm(body(), contentType, async () => {
    isWriting = true;
    await new Promise(setImmediate);
    isWriting = false;
  });
  await expect(form).rejects.toThrow('the client left');
  expect(isWriting).toBe(false);
});

it('every form that is cut, changed or extended is read or rejected, and never waits for more', async () => {
  const valid = Buffer.from(`${purpose}${file.slice(0, 200)}\r\n--XX--\r\n`);
  const change = fc.record({
    at: fc.nat(valid.length),
    removed: fc.nat(30),
    added: fc.oneof(
      fc.constantFrom(
        '',
        '\r\n',
        '--XX',
        '--XX--',
        '\r\n--XX\r\n',
        'Content-Disposition: form-data',
        '"',
        ';',
      ),
      fc.string({ maxLength: 20 }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 3 }),
      fc.integer({ min: 1, max: 400 }),
      async (changes, size) => {
        const text = changes.reduce(
          (now, { at, removed, added }) => now.slice(0, at) + added + now.slice(at + removed),
          valid.toString(),
        );
        const result = await read(text, { size }).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toMatchObject({ status: 400, code: 'invalid_form' });
      },
    ),
    { numRuns: 1000 },
  );
});
