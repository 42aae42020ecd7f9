import { join } from 'node:path';
import { createLog, type Log, type LogOptions } from './create-log.ts';
import { formatLine, type LogFormat, parseLogLine } from './format-line.ts';
import type { LogFilesConfig } from './log-files.ts';

import { createStdoutWriter } from './standard-output.ts';

interface LogsOptions {
  readonly format: LogFormat;
  readonly level: LogOptions['level'];
  /** Where and how lines are kept besides stdout; undefined keeps none. */
  readonly files?: LogFilesConfig | undefined;
}

/** The one stream of lines of a process and of those that speak through it: on stdout, and in files where they are wanted. */
export interface Logs {
  /** The log of one who speaks here. */
  getLog(from: string): Log;
  /** Takes in a line that the log of another process has written in JSON; false where it is none. */
  forward(line: string): boolean;
  /** A line for programs that look for these very words at its begin, whatever the format. */
  writeRaw(words: string): void;
  /** Settles when all is written. */
  close(): Promise<void>;
}

export async function createLogs({ format, level, files }: LogsOptions): Promise<Logs> {
  const toStdout = createStdoutWriter();
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const kept = files && (await openFiles(files, (why) => tellOfFiles(why)));
  const of = (from: string) => createLog({ level, from, write });

  function write(line: string): void {
    toStdout(formatLine(line, format, colours));
    kept?.write(formatLine(line, format, false));
  }
  function tellOfFiles(why: string | undefined): void {
    if (why === undefined) of('log').info('log files are writable again');
    else of('log').warn(`cannot write log files (${why}): logging to stdout only`);
  }

  return {
    getLog: of,
    forward(line) {
      if (parseLogLine(line) === undefined) return false;
      write(line);
      return true;
    },
    writeRaw(words) {
      toStdout(`${words}\n`);
      kept?.write(`${words}\n`);
    },
    close: async () => kept?.close(),
  };
}

/** Loaded only when wanted. */
async function openFiles(config: LogFilesConfig, onProblem: (why: string | undefined) => void) {
  const { LogFiles } = await import('./log-files.ts');
  return new LogFiles({ ...config, onProblem });
}

interface LogFilesSettings {
  readonly LOG_FILES: boolean;
  readonly LOG_FILE_SIZE: number;
  readonly LOG_FILE_COUNT: number;
}

/** Undefined where no files are wanted. */
export function logFilesConfig(dataDir: string, settings: LogFilesSettings): LogFilesConfig | undefined {
  if (!settings.LOG_FILES) return undefined;
  return {
    folder: join(dataDir, 'logs'),
    maxBytes: settings.LOG_FILE_SIZE,
    maxFiles: settings.LOG_FILE_COUNT,
  };
}
