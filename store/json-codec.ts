import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { ContentError } from './errors.ts';
import { keyedHash } from './frame-cipher.ts';

const IV_SIZE = 12;
const TAG_SIZE = 16;
const DIGEST_SIZE = 16;

/** The row of an owner that a value belongs to, such as `item msg_1`. */
export interface Place {
  readonly owner: string;
  readonly name: string;
}

/**
 * JSON values in the database. With a key they are encrypted with AES-256-GCM: IV, ciphertext, tag. Such a value is valid
 * only at its place. Each owner has a key of its own, so that random IVs do not repeat.
 */
export class JsonCodec {
  readonly #storeKey: Buffer | undefined;
  readonly #keys = new Map<string, KeyObject>();

  constructor(storeKey: Buffer | undefined) {
    this.#storeKey = storeKey;
  }

  encode(place: Place, value: unknown): Buffer {
    return this.seal(place, JSON.stringify(value));
  }

  /** Throws a ContentError if it is not what was encoded for this place. */
  decode<T>(place: Place, content: unknown): T {
    const text = this.open(place, content as Uint8Array);
    try {
      return JSON.parse(text) as T;
    } catch {
      // Its message would repeat a part of the content, in the log.
      throw damaged(place);
    }
  }

  seal(place: Place, text: string): Buffer {
    if (this.#storeKey === undefined) return Buffer.from(text);
    const iv = randomBytes(IV_SIZE);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(this.#storeKey, place.owner), iv);
    cipher.setAAD(Buffer.from(place.name));
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  open(place: Place, content: Uint8Array): string {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    if (this.#storeKey === undefined) return bytes.toString();
    const key = this.#keyOf(this.#storeKey, place.owner);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_SIZE), {
        authTagLength: TAG_SIZE,
      });
      decipher.setAAD(Buffer.from(place.name));
      decipher.setAuthTag(bytes.subarray(-TAG_SIZE));
      return decipher.update(bytes.subarray(IV_SIZE, -TAG_SIZE), undefined, 'utf8') + decipher.final('utf8');
    } catch (error) {
      throw damaged(place, error);
    }
  }

  /** Tells whether an owner has stored the same before; reveals nothing to anyone without the key, if there is one. */
  digest(owner: string, text: string): Buffer {
    return keyedHash(this.#storeKey && this.#keyOf(this.#storeKey, owner), text, DIGEST_SIZE);
  }

  /** A KeyObject, because Node would make one of a Buffer each time. */
  #keyOf(storeKey: Buffer, owner: string): KeyObject {
    let key = this.#keys.get(owner);
    if (key === undefined) {
      key = createSecretKey(Buffer.from(hkdfSync('sha256', storeKey, owner, 'llama-corral records', 32)));
      this.#keys.set(owner, key);
    }
    return key;
  }
}

const damaged = ({ name }: Place, cause?: unknown) =>
  new ContentError(`the record of ${name} was changed on disk`, cause === undefined ? {} : { cause });
