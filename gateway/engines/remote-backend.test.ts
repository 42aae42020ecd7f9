import { rmSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { RemoteBackend } from './remote-backend.ts';

const address = { origin: 'http://127.0.0.1:1', socketPath: undefined };
let folder: TemporaryFolder;
let file: string;
let lines: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  file = folder.file('key');
  lines = [];
});
afterEach(() => folder[Symbol.asyncDispose]());

const open = (keyFile: string | undefined) =>
  new RemoteBackend(address, keyFile, pino({}, { write: (line) => void lines.push(line) }));
const logs = (text: string) => waitFor(text, () => lines.some((line) => line.includes(text)));

describe('the key of a backend elsewhere', () => {
  it('is read from its file again when that changes', async () => {
    writeFileSync(file, 'first\n');
    using backend = open(file);
    expect(backend.apiKey).toBe('first');
    let changes = 0;
    backend.onKeyChange = () => {
      changes += 1;
    };
    writeFileSync(file, 'second\n');
    await waitFor('the new key', () => backend.apiKey === 'second');
    expect(changes).toBe(1);
  });

  it('stays in use while its file is empty, no key, or gone, which the log says', async () => {
    writeFileSync(file, 'first');
    using backend = open(file);
    writeFileSync(file, '\n');
    await logs('is empty; the key of before stays in use');
    writeFileSync(file, 'two\nlines');
    await logs('one line of ASCII');
    rmSync(file);
    await logs('is missing');
    expect(backend.apiKey).toBe('first');
    writeFileSync(file, 'second');
    await waitFor('the new key', () => backend.apiKey === 'second');
    expect(lines.join('')).not.toMatch(/first|second|two/);
  });

  it('is used as soon as a file that was missing is there', async () => {
    using backend = open(file);
    expect(backend.apiKey).toBeUndefined();
    await logs('is missing; requests are sent without a key');
    writeFileSync(file, 'late');
    await waitFor('the key', () => backend.apiKey === 'late');
  });

  it('is that of another file when the record names one', () => {
    const other = folder.file('other');
    writeFileSync(file, 'first');
    writeFileSync(other, 'second');
    using backend = open(file);
    backend.setKeyFile(other);
    expect(backend.apiKey).toBe('second');
    backend.setKeyFile(undefined);
    expect(backend.apiKey).toBeUndefined();
  });
});
