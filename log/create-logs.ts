import { join } from 'node:path';
import { createLog, type Log, type LogLevel } from './create-log.ts';
import { formatLine, type LogFormat, parseLogLine } from './format-line.ts';
import { LineBuffer } from './line-buffer.ts';
import type { LogFilesConfig } from './log-files.ts';
import { printableJson } from './printable.ts';
import { createStdoutWriter } from './standard-output.ts';

interface LogsOptions {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** Log files in addition to stdout; undefined for none. */
  readonly files?: LogFilesConfig | undefined;
}

/** All log lines of a process and of its children: written to stdout and, if configured, to files. */
export interface Logs {
  /** The log of a component. */
  getLog(from: string): Log;
  /** Logs a JSON line of another process. Returns false if it is not one. */
  forward(line: string): boolean;
  /** Writes a line as it is, in every format, for programs that look for its exact text. */
  writeRaw(line: string): void;
  /** Writes the lines that wait. Call it before anything else is written to stdout. */
  flush(): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

export async function createLogs({ format, level, files }: LogsOptions): Promise<Logs> {
  const { isTTY: isTerminal = false } = process.stdout;
  const colours = isTerminal && !process.env.NO_COLOR;
  const stdout = new LineBuffer(createStdoutWriter());
  const logFiles = files && (await openFiles(files, (why) => reportFileProblem(why)));
  const kept = logFiles && new LineBuffer((lines) => logFiles.write(lines));
  const of = (from: string) => createLog({ level, from, write });
  // After `process.exit()` and after an unhandled error, too.
  process.on('exit', flush);

  function write(line: string, lineLevel: string): void {
    stdout.add(formatLine(line, format, colours));
    kept?.add(formatLine(line, format, false));
    if (isTerminal || lineLevel === 'warn' || lineLevel === 'error') flush();
  }
  function flush(): void {
    stdout.flush();
    kept?.flush();
  }
  function reportFileProblem(why: string | undefined): void {
    if (why === undefined) of('log').info('log files are writable again');
    else of('log').warn(`cannot write log files (${why}): logging to stdout only`);
  }

  return {
    getLog: of,
    forward(line) {
      const fields = parseLogLine(line);
      if (fields === undefined) return false;
      write(printableJson(line), fields.level);
      return true;
    },
    writeRaw(line) {
      stdout.add(`${line}\n`);
      kept?.add(`${line}\n`);
      flush();
    },
    flush,
    async close() {
      flush();
      process.off('exit', flush);
      await logFiles?.close();
    },
  };
}

/** Loaded only if log files are enabled. */
async function openFiles(config: LogFilesConfig, onProblem: (why: string | undefined) => void) {
  const { LogFiles } = await import('./log-files.ts');
  return new LogFiles({ ...config, onProblem });
}

interface LogFilesSettings {
  readonly LOG_FILES: boolean;
  readonly LOG_FILE_SIZE: number;
  readonly LOG_FILE_COUNT: number;
}

/** Undefined if `LOG_FILES` is off. */
export function logFilesConfig(dataDir: string, settings: LogFilesSettings): LogFilesConfig | undefined {
  if (!settings.LOG_FILES) return undefined;
  return {
    folder: join(dataDir, 'logs'),
    maxBytes: settings.LOG_FILE_SIZE,
    maxFiles: settings.LOG_FILE_COUNT,
  };
}
