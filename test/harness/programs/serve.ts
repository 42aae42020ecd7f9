/**
 * A minimal program that runs the supervisor: health server, preflight, supervise. GATEWAY_PROGRAM replaces the gateway, ENGINE
 * is an engine that has been found before.
 */
import { maxProbeConnections } from '../../../fs/open-file-limit.ts';
import { startHealthServer } from '../../../health/health-server.ts';
import { createLogs, logFilesConfig } from '../../../log/create-logs.ts';
import { readSettings } from '../../../settings/read-settings.ts';
import { findInstalledEngine, type InstalledEngine } from '../../../supervisor/engine/installed-engine.ts';
import { preflight } from '../../../supervisor/preflight.ts';
import { supervise } from '../../../supervisor/supervise.ts';

const { env } = process;
const { settings, problems } = readSettings(env);
const { LOG_FORMAT: format, LOG_LEVEL: level, LLAMA_SERVER_BIN: configured } = settings;
const health = await startHealthServer({
  ...{ host: '127.0.0.1', port: settings.PORT_HEALTH, maxConnections: maxProbeConnections() },
});
const engine = env.ENGINE
  ? (JSON.parse(env.ENGINE) as InstalledEngine)
  : await findInstalledEngine({ configured, searchPath: env.PATH });
const check = await preflight({
  settings,
  engine,
  env,
  settingsProblems: problems.map(({ message }) => message),
  invalidVariables: problems.map(({ variable }) => variable),
  ownsHealthPort: true,
});
if (!check.ok || !engine) {
  for (const problem of check.ok ? [] : check.problems) console.error(problem);
  process.exit(2);
}
const gateway = env.GATEWAY_PROGRAM && { command: process.execPath, args: [env.GATEWAY_PROGRAM] };
const dataDir = check.config.dataDir;
const logs = await createLogs({ format, level, files: logFilesConfig(dataDir, settings) });
const code = await supervise({
  config: check.config,
  engine,
  env,
  health,
  log: logs.getLog('supervisor'),
  logs,
  onReady: () => console.log('first token received'),
  ...(gateway && { gatewayCommand: gateway }),
});
await health.close();
await logs.close();
process.exit(code);
