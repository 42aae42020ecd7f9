import { Command } from 'commander';
import { exitWithoutReader } from '../../log/standard-output.ts';

const notes = `
Configured by environment variables (docs/configuration.md). The most important ones:
  MODEL_PATH=/models/model.gguf   or MODEL_NAME, HF_REPO=user/repo:Q4_K_M, MODEL_URL
  MODELS_FILE=models.json         several models instead (corral models --help); by default models.json in DATA_DIR
  PORT=8000  PORT_HEALTH=8001     ports of the gateway and the health server
  CTX=8192  PARALLEL=4            context size per request, number of parallel requests

Exit status: 0 stopped by a signal or when idle, 1 internal error, 2 invalid configuration, 3 llama-server failed
permanently, 4 the gateway did, 5 the RunPod worker did. SIGTERM and SIGINT shut down gracefully (a second one at once),
SIGHUP reloads the keys.`;

/** `corral serve`: runs everything. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run llama-server behind the gateway')
    .option('--demo', 'provide what is missing: llama-server, a demo model, a first API key')
    .addHelpText('after', notes)
    .action(async ({ demo = false }: { demo?: boolean }) => {
      const { serve } = await import('./serve.ts');
      process.exitCode = await serve({ demo, env: process.env });
      exitWithoutReader();
    });
}
