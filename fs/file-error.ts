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

/** What failed and how to fix it, if the file system or the content of a file is the cause; else undefined. */
export function explainFileError(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof FileError) return message;
  return code === undefined ? undefined : (causes[code] ?? message);
}
