import { statSync } from 'node:fs';
import { modelFileParts, modelFileProblems } from '../models/gguf-file.ts';
import type { ModelRecord } from '../models/registry.ts';

/**
 * The files of a model that llama-server rejected. They are worth another load when they have changed, as when they were
 * missing while a volume was mounted.
 */
export class RejectedFiles {
  /** Undefined: none, or some were missing. */
  #rejected: string | undefined;
  /** The state of the files at the last load that succeeded. */
  #loaded: string | undefined;

  onReady(record: ModelRecord): void {
    this.#loaded = stateOfFiles(record);
  }

  /** Files that were loaded before are loaded once more: they were away, and came back before we looked. */
  onRejected(record: ModelRecord): void {
    const files = stateOfFiles(record);
    this.#rejected = files === this.#loaded ? undefined : files;
    this.#loaded = undefined;
  }

  /** Whether all files are there, and they are not those that were rejected. */
  haveChanged(record: ModelRecord): boolean {
    const files = stateOfFiles(record);
    return files !== undefined && files !== this.#rejected;
  }
}

/** Differs when one of the files was replaced; undefined if one cannot be read, or if llama-server downloads them. */
function stateOfFiles({ source, mmproj, draft, adapters }: ModelRecord): string | undefined {
  if (source.kind !== 'file') return undefined;
  const files = [source.path, mmproj, draft, ...adapters.map(({ path }) => path)].filter(
    (file) => file !== undefined,
  );
  if (files.flatMap(modelFileProblems).length > 0) return undefined;
  return files.flatMap(modelFileParts).map(stateOfFile).join();
}

function stateOfFile(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : '';
}
