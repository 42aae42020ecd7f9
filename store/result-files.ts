import { type ContentFolder, writeFully } from './content-folder.ts';
import { FRAME_SIZE } from './frame-cipher.ts';

/** A result file: the bytes of it that are recorded, as plaintext and on disk. What follows on disk does not count. */
export interface ResultFile {
  readonly id: string;
  readonly size: number;
  readonly stored: number;
}

/**
 * Writes text behind what is recorded, and resolves with the new sizes when it would survive a power failure. The caller
 * records them. If this or that fails, the next append overwrites the text.
 */
export async function appendResults(
  contents: ContentFolder,
  file: ResultFile,
  text: string,
): Promise<ResultFile> {
  if (text === '') return file;
  const plaintext = Buffer.from(text);
  const bytes = encode(contents, file, plaintext);
  await contents.guard(async () => {
    await using handle = await contents.openForWriting(file.id);
    await writeFully(handle, bytes, file.stored);
    await handle.datasync();
    if (file.stored === 0) await contents.sync();
  });
  return { id: file.id, size: file.size + plaintext.length, stored: file.stored + bytes.length };
}

function encode(contents: ContentFolder, { id, size }: ResultFile, plaintext: Buffer): Buffer {
  const cipher = contents.cipherFor(id);
  if (cipher === undefined) return plaintext;
  const frames: Buffer[] = [];
  for (let at = 0; at < plaintext.length; at += FRAME_SIZE) {
    frames.push(cipher.seal(plaintext.subarray(at, at + FRAME_SIZE), size + at));
  }
  return Buffer.concat(frames);
}
