import type { IncomingHttpHeaders } from 'node:http';
import type { Range } from '../../../store/content-reader.ts';
import { rangeNotSatisfiable } from '../../errors/store-catalogue.ts';

/**
 * The part of a content of `size` bytes that a GET request wants (RFC 9110, section 14.2). Undefined for all of it: without
 * a range, with several or an invalid one, and if the content is not the one that the client has a part of. Throws an
 * ApiError for a part that does not exist.
 */
export function readByteRange(
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
  size: number,
  etag: string,
): Range | undefined {
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(range) ?? [];
  if (first === '' && last === '') return undefined;
  // Without a first byte, it is the number of the last ones.
  const from = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  if (from >= size) throw rangeNotSatisfiable(size);
  return { offset: from, length: to - from + 1 };
}

/** The value of `Content-Range`. */
export const contentRange = ({ offset, length }: Range, size: number): string =>
  `bytes ${offset}-${offset + length - 1}/${size}`;
