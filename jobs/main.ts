import { join } from 'node:path';
import { withFileLock } from '../fs/file-lock.ts';
import type { RunnerMessage } from '../health/supervisor-messages.ts';
import { createLogs, logFilesConfig } from '../log/create-logs.ts';
import { handleUnhandledErrors } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import { StoreError } from '../store/errors.ts';
import { openStore } from '../store/store.ts';
import { type RunnerConfig, runnerConfig } from './config.ts';
import { Runner } from './runner.ts';

/** The exit code for wrong usage or configuration, the same for all commands. */
const MISCONFIGURED = 2;

/**
 * The runner of batches as a process, a child of the supervisor. Resolves when it was stopped and its last result is
 * stored.
 */
export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { settings, problems } = readSettings(env);
  const config = runnerConfig(settings);
  const allProblems = [
    ...problems.map(({ message }) => message),
    ...('problems' in config ? config.problems : []),
  ];
  if ('problems' in config || allProblems.length > 0) {
    for (const problem of allProblems) process.stderr.write(`${problem}\n`);
    process.exitCode = MISCONFIGURED;
    return;
  }
  const { LOG_FORMAT: format, LOG_LEVEL: level, DATA_DIR: dataDir = './data' } = settings;
  const logs = await createLogs({ format, level, files: logFilesConfig(dataDir, settings) });
  const log = logs.getLog('runner');
  let stop: () => void = () => process.exit();
  handleUnhandledErrors(log, () => stop());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'shutting down: no more lines are begun');
      stop();
    });
  }
  // The channel alone does not keep us alive.
  process.channel?.unref();
  const lock = join(config.store.folder, 'runner.lock');
  // A second deployment with the same folder would run each line twice.
  await withFileLock(lock, () => runBatches(config), Number.POSITIVE_INFINITY);
  await logs.close();

  async function runBatches(config: RunnerConfig): Promise<void> {
    try {
      using store = openStore(config.store, { role: 'runner' });
      const runner = new Runner({ config, store, log, onJobs: reportJobs });
      stop = () => runner.stop();
      await runner.run();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = MISCONFIGURED;
    }
  }
}

function reportJobs(hasJobs: boolean): void {
  const message: RunnerMessage = { hasJobs };
  process.send?.(message, () => {});
}

if (import.meta.main) await main(process.env);
