import { Command } from 'commander';

const notes = `
On a RunPod queue endpoint \`corral serve\` starts this worker by itself. Run alone, it sends jobs to the gateway at
RUNPOD_WORKER_GATEWAY with the key RUNPOD_WORKER_KEY. RunPod sets the other variables (docs/platforms/runpod-worker.md).`;

/** `corral runpod-worker`: runs only the worker of RunPod's queue, in front of an existing gateway. */
export function runpodWorkerCommand(): Command {
  return new Command('runpod-worker')
    .description("run only the worker of RunPod's queue, in front of a gateway that is already running")
    .addHelpText('after', notes)
    .action(async () => {
      const { main } = await import('../runpod/main.ts');
      await main(process.env);
    });
}
