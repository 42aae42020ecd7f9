import { createReadStream } from 'node:fs';
import * as z from 'zod';
import { type FileLine, readLines } from '../../jobs/read-lines.ts';
import { formatBytes } from '../../settings/sizes.ts';
import { UsageError } from '../run-command.ts';
import { inputSize } from './upload-form.ts';

const line = z.looseObject({ url: z.string() });

/** In bytes. Longer than any request that a gateway is likely to accept; it is held in memory. */
const LONGEST_LINE = 64 * 1024 ** 2;

/** The endpoint of an input file: the url of its first line. Everything else is checked by the runner. */
export async function endpointOf(path: string): Promise<string> {
  await inputSize(path);
  const first = await firstLineOf(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read (${error.code})`);
  });
  if (first === undefined) throw new UsageError(`${path} is empty`);
  if (first.bytes === undefined)
    throw new UsageError(
      `the first line of ${path} is longer than ${formatBytes(LONGEST_LINE)}: each request has a line of its own`,
    );
  const parsed = line.safeParse(parseJson(first.bytes.toString()));
  if (parsed.success) return parsed.data.url;
  throw new UsageError(
    `the first line of ${path} is no request such as {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {…}}`,
  );
}

async function firstLineOf(path: string): Promise<FileLine | undefined> {
  const input = createReadStream(path);
  try {
    for await (const each of readLines(input, LONGEST_LINE)) return each;
    return undefined;
  } finally {
    input.destroy();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
