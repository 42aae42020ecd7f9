import { Command } from 'commander';

const notes = `
BACKEND_URL (http://host:port or unix:/path.sock) and BACKEND_API_KEY say where the llama-server is and how to get in.

Example:
  BACKEND_URL=http://127.0.0.1:8080 BACKEND_API_KEY=... corral gateway`;

/** `corral gateway`: the gateway alone, in front of a llama-server that someone else started. */
export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('stand in front of a llama-server that is already running')
    .addHelpText('after', notes)
    .action(async () => {
      const { main } = await import('../gateway/main.ts');
      const { readSettings } = await import('../settings/read-settings.ts');
      const { forbidCoreFiles } = await import('../supervisor/forbid-core-files.ts');
      const { resolveDataDir } = await import('../supervisor/data-dir.ts');
      const { defaultHost, detectPlatform } = await import('../supervisor/platform.ts');
      const { env } = process;
      if (!readSettings(env).settings.CORE_DUMPS) {
        await forbidCoreFiles((words) => process.stderr.write(`${words}\n`));
      }
      await main({
        ...env,
        HOST: env.HOST || defaultHost(detectPlatform(env)),
        DATA_DIR: resolveDataDir(env.DATA_DIR || undefined),
      });
    });
}
