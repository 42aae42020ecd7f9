import { readFile } from 'node:fs/promises';
import { WrongUse } from '../run-command.ts';

/** The API key to ask with: the first line of the file named, else from the environment. Never from the command line, where others see it. */
export async function whichKey(
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (file === undefined) return env.CORRAL_API_KEY || env.OPENAI_API_KEY || undefined;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new WrongUse(`--key-file ${file} cannot be read (${error.code})`);
  });
  const key = text.split(/\r?\n/)[0]?.trim() ?? '';
  if (!/^[\x21-\x7e]+$/.test(key)) throw new WrongUse(`the first line of --key-file ${file} is not a key`);
  return key;
}
