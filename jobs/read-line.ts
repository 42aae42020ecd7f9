import { parseExactly } from '../json/exact-numbers.ts';
import type { Line } from '../store/batch-line.ts';
import { ContentError } from '../store/errors.ts';
import type { Store } from '../store/store.ts';

/** What is needed of a line that was validated. */
export interface ValidLine {
  readonly custom_id: string;
  readonly body: unknown;
}

/** A line as it is on the disk. Throws a ContentError if it is not the one that was validated. */
export async function readLine({ files }: Store, fileId: string, line: Line): Promise<ValidLine> {
  const request = parse(String(await files.readBytes(fileId, line)));
  if (typeof request?.custom_id === 'string') return request;
  throw new ContentError(`line ${line.number} of ${fileId} is no request any more`);
}

function parse(text: string): ValidLine | null {
  try {
    return parseExactly(text) as ValidLine | null;
  } catch {
    return null;
  }
}
