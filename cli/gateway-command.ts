import { Command } from 'commander';
import { resolveDataDir } from '../supervisor/data-dir.ts';
import { type ExitCode, exitCodes } from '../supervisor/exit-codes.ts';
import { defaultHost, detectPlatform } from '../supervisor/platform/platform.ts';
import { printProblems } from './output.ts';

const notes = `
BACKEND_URL (http://host:port or unix:/path.sock) is the address of the llama-server, BACKEND_API_KEY its API key.
With several models, MODELS_FILE lists them with their backends (docs/models.md).

Examples:
  BACKEND_URL=http://127.0.0.1:8080 BACKEND_API_KEY=... corral gateway
  MODELS_FILE=models.json corral gateway`;

/** `corral gateway`: runs only the gateway, in front of an existing llama-server. */
export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('run only the gateway, in front of llama-servers that are already running')
    .addHelpText('after', notes)
    .action(async () => {
      process.exitCode = await startGateway(process.env);
    });
}

/** The exit status, or undefined if the gateway is running. */
async function startGateway(env: NodeJS.ProcessEnv): Promise<ExitCode | undefined> {
  const { readSettings } = await import('../settings/read-settings.ts');
  const { disableCoreFiles } = await import('../supervisor/process/core-files.ts');
  const { preflightGateway } = await import('../supervisor/preflight.ts');
  const { settings, problems, warnings } = readSettings(env);
  const host = settings.HOST ?? defaultHost(detectPlatform(env));
  const checked = await preflightGateway({ settings, host, invalidSettings: problems });
  if (checked.problems.length > 0) {
    printProblems(checked.problems);
    return exitCodes.configuration;
  }
  if (!settings.CORE_DUMPS) await disableCoreFiles((message) => process.stderr.write(`${message}\n`));
  const { main } = await import('../gateway/main.ts');
  const decided = { ...env, HOST: host, DATA_DIR: resolveDataDir(settings.DATA_DIR) };
  await main(decided, { warnings: [...warnings, ...checked.warnings] });
  return undefined;
}
