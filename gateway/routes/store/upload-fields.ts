import { invalidValue } from '../../errors/catalogue.ts';
import { readNumber } from './page-query.ts';

/** What a file may be uploaded for. Only `batch` has a meaning here; the others are kept as clients name them. */
const purposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'];

const MAX_NAME_LENGTH = 255;
/** Seconds: one hour to 30 days. */
const [MIN_EXPIRY, MAX_EXPIRY] = [3600, 2_592_000];

export interface UploadFields {
  readonly purpose: string;
  /** In seconds; undefined if the client does not say. */
  readonly expiresAfter: number | undefined;
}

/** The fields of an upload beside its file. Throws an ApiError that names a wrong one. */
export function readUploadFields(fields: ReadonlyMap<string, string>): UploadFields {
  const purpose = fields.get('purpose');
  if (purpose === undefined || !purposes.includes(purpose))
    throw invalidValue('purpose', `one of ${purposes.join(', ')}`, purpose);
  const [anchor, seconds] = [fields.get('expires_after[anchor]'), fields.get('expires_after[seconds]')];
  if (anchor === undefined && seconds === undefined) return { purpose, expiresAfter: undefined };
  const given = seconds === undefined ? undefined : readNumber(seconds);
  return { purpose, expiresAfter: readExpiry({ anchor, seconds: given }, 'expires_after') };
}

/** The seconds of an expiry policy, `expires_after` or `output_expires_after`. */
export function readExpiry(
  { anchor, seconds }: { readonly anchor?: unknown; readonly seconds?: unknown },
  name: string,
): number {
  if (anchor !== 'created_at') throw invalidValue(`${name}.anchor`, '"created_at"', anchor);
  if (
    typeof seconds !== 'number' ||
    !Number.isInteger(seconds) ||
    seconds < MIN_EXPIRY ||
    seconds > MAX_EXPIRY
  )
    throw invalidValue(`${name}.seconds`, `an integer from ${MIN_EXPIRY} to ${MAX_EXPIRY}`, seconds);
  return seconds;
}

/** The name that a client gave its file, fit to be shown and to be sent in a header. Forms escape quotes and line breaks. */
export function cleanFilename(given: string): string {
  const name = given
    .replaceAll('%22', '"')
    .replace(/%0[ad]|[\p{Cc}\p{Cf}\p{Cs}]/giu, '')
    .trim();
  return name === '' ? 'file' : [...name].slice(0, MAX_NAME_LENGTH).join('');
}

/** For a download, so that browsers save it under its name (RFC 6266). */
export function contentDisposition(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(filename).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return plain === filename
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
