import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder, removed with its contents at the end of the scope: `await using`. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'corral-'));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => removeFolder(path),
  };
}

/**
 * Removes a folder with its contents. Processes that have just been killed, or whose parent has, may write to it for a
 * moment yet, so that it is not empty when it should be: it tries again for five seconds.
 */
export const removeFolder = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 10 });

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of a file in it. */
  file(name: string): string;
}
