import { readFile } from 'node:fs/promises';
import { UsageError } from './run-command.ts';

/**
 * The API key: the first line of the file, else from the environment. Never from the command line, where other users
 * see it.
 */
export async function readApiKey(
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (file === undefined) return env.CORRAL_API_KEY || env.OPENAI_API_KEY || undefined;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--key-file ${file} cannot be read (${error.code})`);
  });
  const key = text.split(/\r?\n/)[0]?.trim() ?? '';
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError(`the first line of --key-file ${file} is not a key`);
  return key;
}
