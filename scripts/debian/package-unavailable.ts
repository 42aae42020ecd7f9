import { ExecaError } from 'execa';

/** A package could not be fetched from Debian's archive. The message is the reason. */
export class PackageUnavailable extends Error {
  override readonly name = 'NotToBeHad';

  static from(error: unknown): PackageUnavailable {
    return error instanceof PackageUnavailable
      ? error
      : new PackageUnavailable(reasonOf(error), { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join('; ');
  if (!(error instanceof ExecaError)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'ENOENT') return `this machine has no ${error.command.split(' ')[0]}`;
  const aptError = String(error.all ?? error.stderr ?? '')
    .split('\n')
    .find((line) => /^(E:|Err:|W:|dpkg)/.test(line));
  return aptError?.replace(/^(E|W): /, '').replace(/\.$/, '') ?? error.shortMessage;
}
