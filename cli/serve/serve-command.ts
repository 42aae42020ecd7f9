import { Command } from 'commander';
import { exitWithoutReader } from '../../log/standard-output.ts';

const notes = `
Everything is set by environment variables; docs/configuration.md lists them. The most needed:
  MODEL_PATH=/models/some.gguf    or MODEL_NAME, HF_REPO=user/repo:Q4_K_M, MODEL_URL
  PORT=8000  PORT_HEALTH=8001     where the gateway and the health server listen
  CTX=8192  PARALLEL=4            context of one request, requests at the same time

Exit status: 0 stopped on request or idle, 1 internal fault, 2 wrong configuration, 3 llama-server failed for good,
4 the gateway failed for good, 5 the worker of RunPod's queue did. SIGTERM and SIGINT stop in order (a second one hurries), SIGHUP reads the keys again.`;

/** `corral serve`: the whole house. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('boot llama-server and stand in front of it as a gateway')
    .option('--demo', 'what is missing is provided: llama-server, a demo model, a first API key')
    .addHelpText('after', notes)
    .action(async ({ demo = false }: { demo?: boolean }) => {
      const { serve } = await import('./serve.ts');
      process.exitCode = await serve({ demo, env: process.env });
      exitWithoutReader();
    });
}
