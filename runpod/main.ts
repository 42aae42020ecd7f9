import { runClient } from '../client/run-client.ts';
import { queueConfig } from './config.ts';
import type { HealthProblem } from './job-urls.ts';
import { QueueWorker } from './worker.ts';

/** The queue worker: a child of the supervisor, or alone with a gateway that runs elsewhere (`corral runpod-worker`). */
export const main = (env: NodeJS.ProcessEnv): Promise<void> =>
  runClient(env, {
    name: 'runpod-worker',
    stopping: 'shutting down: no more jobs are taken',
    configure: queueConfig,
    create(config, log) {
      const worker = new QueueWorker(config, log);
      // The supervisor sends this when the deployment has failed.
      process.on('message', (problem: HealthProblem) => worker.reportUnhealthy(problem));
      return worker;
    },
  });

if (import.meta.main) await main(process.env);
