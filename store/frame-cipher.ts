import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { ContentError } from './errors.ts';

/** The most plaintext of one frame. All frames of an uploaded file but the last one are full. */
export const FRAME_SIZE = 64 * 1024;
export const HEADER_SIZE = 4;
const IV_SIZE = 12;
const TAG_SIZE = 16;
/** By how much a frame on disk is longer than its plaintext. */
export const FRAME_OVERHEAD = HEADER_SIZE + IV_SIZE + TAG_SIZE;

/**
 * Encrypts the content of one file with AES-256-GCM, in frames: length of the plaintext (u32, big endian), IV,
 * ciphertext, tag. A frame is valid only in its file and at its place. Each file has a key of its own, so that
 * random IVs do not repeat.
 */
export class FrameCipher {
  readonly #key: Buffer;
  readonly #fileId: string;

  constructor(storeKey: Buffer, fileId: string) {
    this.#key = Buffer.from(hkdfSync('sha256', storeKey, fileId, 'llama-corral file', 32));
    this.#fileId = fileId;
  }

  /** The frame of at most FRAME_SIZE bytes that begin at `offset` of the plaintext. */
  seal(plaintext: Uint8Array, offset: number): Buffer {
    const iv = randomBytes(IV_SIZE);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    cipher.setAAD(this.#place(offset));
    const header = Buffer.alloc(HEADER_SIZE);
    header.writeUInt32BE(plaintext.length);
    return Buffer.concat([header, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** The plaintext of a frame without its header. Throws a ContentError. */
  open(frame: Buffer, offset: number): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, frame.subarray(0, IV_SIZE), {
      authTagLength: TAG_SIZE,
    });
    decipher.setAAD(this.#place(offset));
    decipher.setAuthTag(frame.subarray(-TAG_SIZE));
    const plaintext = decipher.update(frame.subarray(IV_SIZE, -TAG_SIZE));
    try {
      return Buffer.concat([plaintext, decipher.final()]);
    } catch (error) {
      throw new ContentError(`${this.#fileId} was changed on disk near byte ${offset}`, { cause: error });
    }
  }

  #place(offset: number): Buffer {
    return Buffer.from(`${this.#fileId}:${offset}`);
  }
}

/** A hash that reveals nothing about `text` to anyone without the key, if there is one. */
export function keyedHash(
  storeKey: Buffer | KeyObject | undefined,
  text: string | Buffer,
  length = 32,
): Buffer {
  return createHmac('sha256', storeKey ?? '')
    .update(text)
    .digest()
    .subarray(0, length);
}
