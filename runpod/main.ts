import { createLogs, logFilesConfig } from '../log/create-logs.ts';

import { handleUnhandledErrors } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import { queueConfig } from './config.ts';
import type { HealthProblem } from './job-urls.ts';
import { QueueWorker } from './worker.ts';

/** Exit code for wrong use or configuration, the same all over the house. */
const MISCONFIGURED = 2;

/**
 * The queue worker as a process of its own: the supervisor's child, or alone in front of a gateway that someone else
 * started (`corral runpod-worker`). Ends when it was stopped and its last result is posted.
 */
export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { settings, problems } = readSettings(env);
  const config = queueConfig(settings);
  const complaints = [
    ...problems.map(({ message }) => message),
    ...('problems' in config ? config.problems : []),
  ];
  if ('problems' in config || complaints.length > 0) {
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
    process.exitCode = MISCONFIGURED;
    return;
  }
  const { LOG_FORMAT: format, LOG_LEVEL: level, DATA_DIR: dataDir = './data' } = settings;
  const logs = await createLogs({ format, level, files: logFilesConfig(dataDir, settings) });
  const log = logs.getLog('runpod-worker');
  const worker = new QueueWorker(config, log);
  handleUnhandledErrors(log, () => worker.stop());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'taking no more jobs');
      worker.stop();
    });
  }
  // The supervisor says so where the house has failed.
  process.on('message', (trouble: HealthProblem) => worker.tellTrouble(trouble));
  process.channel?.unref();
  await worker.run();
  await logs.close();
}

if (import.meta.main) await main(process.env);
