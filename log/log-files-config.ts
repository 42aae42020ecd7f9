import { join } from 'node:path';

export interface LogFilesConfig {
  /** Made where it does not exist. */
  readonly folder: string;
  readonly maxBytes: number;
  /** Besides the one that is being written. */
  readonly kept: number;
}

interface LogFilesSettings {
  readonly LOG_FILES: boolean;
  readonly LOG_FILE_SIZE: number;
  readonly LOG_FILE_COUNT: number;
}

/** Undefined where no files are wanted. */
export function logFilesIn(dataDir: string, settings: LogFilesSettings): LogFilesConfig | undefined {
  if (!settings.LOG_FILES) return undefined;
  return { folder: join(dataDir, 'logs'), maxBytes: settings.LOG_FILE_SIZE, kept: settings.LOG_FILE_COUNT };
}
