import { createLogs, logFilesConfig } from '../log/create-logs.ts';
import { handleUnhandledErrors } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import { queueConfig } from './config.ts';
import type { HealthProblem } from './job-urls.ts';
import { QueueWorker } from './worker.ts';

/** The exit code for wrong usage or configuration, the same for all commands. */
const MISCONFIGURED = 2;

/**
 * The queue worker as a process: a child of the supervisor, or alone with a gateway that runs elsewhere (`corral
 * runpod-worker`). Resolves when it was stopped and its last result is posted.
 */
export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { settings, problems } = readSettings(env);
  const config = queueConfig(settings);
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
  const log = logs.getLog('runpod-worker');
  const worker = new QueueWorker(config, log);
  handleUnhandledErrors(log, () => worker.stop());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'shutting down: no more jobs are taken');
      worker.stop();
    });
  }
  // The supervisor sends this when the deployment has failed.
  process.on('message', (problem: HealthProblem) => worker.reportUnhealthy(problem));
  process.channel?.unref();
  await worker.run();
  await logs.close();
}

if (import.meta.main) await main(process.env);
