import type { Log } from '../log/create-log.ts';
import { createLogs, logFilesConfig } from '../log/create-logs.ts';
import { handleUnhandledErrors } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import type { Settings } from '../settings/variables.ts';

/** The exit code for wrong usage or configuration, the same for all commands. */
export const MISCONFIGURED = 2;

/** What runs in a process beside the gateway. */
export interface Client {
  /** Resolves when it was stopped and its last result is stored or sent. */
  run(): Promise<void>;
  /** Begins nothing more; a second call cuts off what runs. */
  stop(): void;
}

export interface ClientDefinition<Config extends object> {
  /** In its log. */
  readonly name: string;
  /** The log line at a signal. */
  readonly stopping: string;
  /** Its configuration, or what is missing. */
  readonly configure: (settings: Settings) => Config | { readonly problems: readonly string[] };
  readonly create: (config: Config, log: Log) => Client;
}

/** A client of the gateway as a process. Resolves when it has ended; signals stop it. */
export async function runClient<Config extends object>(
  env: NodeJS.ProcessEnv,
  { name, stopping, configure, create }: ClientDefinition<Config>,
): Promise<void> {
  const { settings, problems } = readSettings(env);
  const config = configure(settings);
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
  const log = logs.getLog(name);
  const client = create(config, log);
  handleUnhandledErrors(log, () => client.stop());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, stopping);
      client.stop();
    });
  }
  // The channel to the supervisor alone does not keep us alive.
  process.channel?.unref();
  await client.run();
  await logs.close();
}
