import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

export interface FileWatch {
  close(): void;
}

/**
 * Calls `look` whenever something stirs in the file's folder, and every `pollMs` besides, which sees what gives no
 * events: network volumes, the far end of a symlink, a folder that did not exist yet. Holds no process open.
 */
export function watchFile(file: string, look: () => void, pollMs = 500): FileWatch {
  const folder = watchFolder(dirname(file), look);
  const poll = setInterval(look, pollMs).unref();
  return {
    close() {
      clearInterval(poll);
      folder?.close();
    },
  };
}

function watchFolder(folder: string, look: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, look);
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}
