import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { UsageError } from '../run-command.ts';

const line = z.looseObject({ url: z.string() });

/** The endpoint of an input file: the url of its first line. Everything else is checked by the runner. */
export async function endpointOf(path: string): Promise<string> {
  const text = await firstLineOf(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read (${error.code})`);
  });
  if (text === undefined) throw new UsageError(`${path} is empty`);
  const parsed = line.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.url;
  throw new UsageError(
    `the first line of ${path} is no request such as {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {…}}`,
  );
}

async function firstLineOf(path: string): Promise<string | undefined> {
  const input = createReadStream(path);
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (text.trim() !== '') return text.replace(/^\uFEFF/, '');
    }
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
