import type { FileHandle } from 'node:fs/promises';
import { ContentError } from './errors.ts';
import { FRAME_OVERHEAD, FRAME_SIZE, type FrameCipher, HEADER_SIZE } from './frame-cipher.ts';

/** Bytes of a content, as the client knows it. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

export interface Content {
  readonly id: string;
  readonly bytes: number;
  /** It was written in pieces of any size, so that the place of a frame is not known in advance. */
  readonly appended: boolean;
  readonly cipher: FrameCipher | undefined;
}

/** The bytes of the range, as far as there are any, in pieces of at most 64 KiB. Throws a ContentError. */
export function readPieces(handle: FileHandle, content: Content, range: Range): AsyncGenerator<Buffer> {
  const start = Math.min(range.offset, content.bytes);
  const end = Math.min(start + range.length, content.bytes);
  return content.cipher === undefined
    ? readPlain(handle, content.id, start, end)
    : readFrames(handle, content, content.cipher, start, end);
}

async function* readPlain(handle: FileHandle, id: string, start: number, end: number) {
  for (let at = start; at < end; ) {
    const piece = Buffer.allocUnsafe(Math.min(FRAME_SIZE, end - at));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw truncated(id, at);
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function* readFrames(
  handle: FileHandle,
  { id, appended }: Content,
  cipher: FrameCipher,
  start: number,
  end: number,
) {
  const skipped = appended ? 0 : Math.floor(start / FRAME_SIZE);
  const reader = new BufferedReader(handle, id, skipped * (FRAME_SIZE + FRAME_OVERHEAD));
  for (let at = skipped * FRAME_SIZE; at < end; ) {
    const length = (await reader.take(HEADER_SIZE)).readUInt32BE();
    if (length === 0 || length > FRAME_SIZE)
      throw new ContentError(`${id} was changed on disk near byte ${at}`);
    const next = at + length;
    if (next <= start) {
      reader.skip(length + FRAME_OVERHEAD - HEADER_SIZE);
    } else {
      const plaintext = cipher.open(await reader.take(length + FRAME_OVERHEAD - HEADER_SIZE), at);
      yield plaintext.subarray(Math.max(0, start - at), end - at);
    }
    at = next;
  }
}

/** Reads ahead, because frames may be small. */
class BufferedReader {
  readonly #handle: FileHandle;
  readonly #id: string;
  #position: number;
  #buffer = Buffer.alloc(0);

  constructor(handle: FileHandle, id: string, position: number) {
    this.#handle = handle;
    this.#id = id;
    this.#position = position;
  }

  async take(length: number): Promise<Buffer> {
    if (this.#buffer.length < length) await this.#fill(length);
    const taken = this.#buffer.subarray(0, length);
    this.skip(length);
    return taken;
  }

  skip(length: number): void {
    this.#buffer = this.#buffer.subarray(length);
    this.#position += length;
  }

  async #fill(length: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.max(length, FRAME_SIZE + FRAME_OVERHEAD));
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        filled,
        buffer.length - filled,
        this.#position + filled,
      );
      if (bytesRead === 0) throw truncated(this.#id, this.#position + filled);
      filled += bytesRead;
    }
    this.#buffer = buffer.subarray(0, filled);
  }
}

const truncated = (id: string, at: number) => new ContentError(`${id} ends on disk at byte ${at}`);
