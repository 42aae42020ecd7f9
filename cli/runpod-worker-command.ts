import { Command } from 'commander';

const notes = `
\`corral serve\` starts it by itself in a worker of a RunPod queue endpoint. Alone it hands the jobs to the gateway at
RUNPOD_WORKER_GATEWAY and shows it the key RUNPOD_WORKER_KEY; RunPod sets the other variables (docs/platforms/runpod-worker.md).`;

/** `corral runpod-worker`: the worker of RunPod's queue alone, in front of a gateway that someone else started. */
export function runpodWorkerCommand(): Command {
  return new Command('runpod-worker')
    .description("take jobs from RunPod's queue and hand them to a gateway that is already running")
    .addHelpText('after', notes)
    .action(async () => {
      const { main } = await import('../runpod/main.ts');
      await main(process.env);
    });
}
