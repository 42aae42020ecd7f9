import { createInterface } from 'node:readline/promises';
import type { ReadStream, WriteStream } from 'node:tty';

type MaybeTerminal<Stream> = Stream & { readonly isTTY?: boolean };

/** Whether the person at the terminal says yes. Without a terminal there is nobody to ask, and the answer is yes. */
export async function confirmed(
  question: string,
  input: MaybeTerminal<NodeJS.ReadableStream> | ReadStream = process.stdin,
  output: MaybeTerminal<NodeJS.WritableStream> | WriteStream = process.stderr,
): Promise<boolean> {
  if (!input.isTTY || !output.isTTY) return true;
  const terminal = createInterface({ input, output });
  // An end of input is a no: without it the question would wait for ever.
  const left = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const answer = await Promise.race([terminal.question(question), left]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
