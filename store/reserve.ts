import { randomBytes } from 'node:crypto';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnavailable } from './errors.ts';

/** Enough for the database to record what is deleted. */
const SIZE = 1024 ** 2;
/** It takes no space that others need more. */
const LEAST_FREE = 8 * SIZE;

/**
 * Some space on the disk that is given up when the disk is full: the database cannot even delete without any, and so nothing
 * would ever make room again.
 */
export class Reserve {
  readonly #folder: string;
  readonly #file: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, 'store.reserve');
  }

  /** Runs what deletes or cancels something; if the disk is full, once more with the space of the reserve. */
  deleting<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!this.#helps(error)) throw error;
      return action();
    }
  }

  /** The same for what takes its time: it must be possible to begin it again. */
  async deletingMuch<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!this.#helps(error)) throw error;
      return await action();
    }
  }

  /** Takes the space again, if there is plenty. */
  refill(): void {
    try {
      const { bavail, bsize } = statfsSync(this.#folder);
      if (this.#size === SIZE || bavail * bsize < LEAST_FREE) return;
      // Random, because some file systems store zeros without space.
      writeFileSync(this.#file, randomBytes(SIZE), { mode: 0o600 });
    } catch {
      rmSync(this.#file, { force: true });
    }
  }

  get #size(): number {
    return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }

  #helps(error: unknown): boolean {
    if (!(error instanceof StoreUnavailable) || error.reason !== 'disk-full' || this.#size === 0)
      return false;
    rmSync(this.#file, { force: true });
    return true;
  }
}
