import { createHash } from 'node:crypto';

const maxLength = 24;

/** A short file name for any name. Different names get different file names. */
export function safeFileName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, maxLength);
  return safe === name ? name : `${safe}-${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
}
