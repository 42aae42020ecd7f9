import { createInterface } from 'node:readline/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { UsageError } from './run-command.ts';

type MaybeTerminal<Stream> = Stream & { readonly isTTY?: boolean };

/**
 * Asks before something is removed for good, and throws unless the answer is yes. Without a terminal nobody can be asked: a
 * script has to say that it means it.
 */
export async function confirm(
  question: string,
  input: MaybeTerminal<NodeJS.ReadableStream> | ReadStream = process.stdin,
  output: MaybeTerminal<NodeJS.WritableStream> | WriteStream = process.stderr,
): Promise<void> {
  if (!input.isTTY || !output.isTTY)
    throw new UsageError('without a terminal, this needs --yes: nothing was removed');
  const terminal = createInterface({ input, output });
  // End of input means no; otherwise the question would wait forever.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const reply = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
  terminal.close();
  if (!/^y(es)?$/i.test(reply.trim())) throw new Error('nothing was removed');
}
