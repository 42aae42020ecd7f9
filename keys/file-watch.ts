import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface FileWatch {
  close(): void;
}

/**
 * Calls `look` whenever the file stirs, and every `pollMs` besides, which sees what gives no events: network volumes, the
 * far end of a symlink, a folder that did not exist yet. What else is written in its folder, a log at each request perhaps,
 * calls nobody. Holds no process open.
 */
export function watchFile(file: string, look: () => void, pollMs = 500): FileWatch {
  const folder = watchFolder(file, look);
  const poll = setInterval(look, pollMs).unref();
  return {
    close() {
      clearInterval(poll);
      folder?.close();
    },
  };
}

function watchFolder(file: string, look: () => void): FSWatcher | undefined {
  const own = basename(file);
  // Kubernetes swaps a link named `..data` that the file's own leads through; some systems tell no name.
  const isOwn = (name: string | null) => name === null || name === own || name.startsWith('..');
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_, name) => isOwn(name) && look());
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}
