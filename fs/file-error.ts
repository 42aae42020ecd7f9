/** A file cannot be used. The message continues the name of the file, or names it. */
export class FileError extends Error {
  override readonly name: string = 'FileError';
}

const causes: Readonly<Record<string, string>> = {
  EACCES: 'permission denied: run this as the owner of the file',
  EPERM: 'permission denied: run this as the owner of the file',
  EROFS: 'the volume is read-only: change the file at its source',
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'disk quota exceeded: free some space',
  EBUSY: 'cannot be replaced because it is a mount point: mount its directory instead',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'a part of its path is a file, not a directory',
  ENOENT: 'its directory does not exist and cannot be created',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'its name is too long',
};

/** Turns a failure of the file system or of the content into a FileError, or a kind of it, that names the file. */
export async function withFileErrors<T>(
  file: string,
  action: () => Promise<T>,
  Kind: typeof FileError = FileError,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const reason = explainFileError(error);
    if (reason === undefined) throw error;
    throw new Kind(`${file}: ${reason}`, { cause: error });
  }
}

/** What failed and how to fix it; undefined if neither the file system nor the content is the cause. */
export function explainFileError(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof FileError) return message;
  return code === undefined ? undefined : (causes[code] ?? message);
}
