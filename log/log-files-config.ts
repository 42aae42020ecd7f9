import { join } from 'node:path';

export interface LogFilesConfig {
  /** Made where it does not exist. */
  readonly folder: string;
  readonly maxBytes: number;
  /** Besides the one that is being written. */
  readonly maxFiles: number;
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
