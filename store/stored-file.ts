import type { Row } from './database.ts';

/** A file as its owner sees it. Times are seconds since 1970. */
export interface StoredFile {
  readonly id: string;
  /** The id of the key; empty where no key is required. */
  readonly owner: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** The columns of a StoredFile. The parameter is the retention in seconds. */
export const fileColumns = `id, owner, filename, purpose, bytes, created_at, appended,
  coalesce(expires_at, created_at + ?) AS expires`;

export function toStoredFile(row: Row): StoredFile {
  return {
    id: String(row.id),
    owner: String(row.owner),
    filename: String(row.filename),
    purpose: String(row.purpose),
    bytes: Number(row.bytes),
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires),
  };
}
