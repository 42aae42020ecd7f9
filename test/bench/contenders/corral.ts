import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, projectFolder } from '../../../scripts/project-folders.ts';
import { allocatorSettings, defaultGatewayCommand } from '../../../supervisor/spawn-gateway.ts';
import { startTraceCollector } from '../../fakes/start-trace-collector.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { createSecrets } from './secrets.ts';
import { type RunningContender, startContender } from './start-contender.ts';

/** Limits that are checked and never reached. */
const highLimits = { MAX_REQUESTS_PER_MINUTE: '100000000', MAX_TOKENS_PER_MINUTE: '100000000000' };

/** The gateway as the supervisor starts it, with everything on: keys, lanes, limits, metrics, the ledger, and log lines in a file. */
export const startCorral = (backendUrl: string) => startGateway(backendUrl, highLimits);

/** Without everything that settings can turn off: log lines, limits, metrics per key. */
export const startBareCorral = (backendUrl: string) =>
  startGateway(backendUrl, {
    MAX_REQUESTS_PER_MINUTE: '0',
    MAX_TOKENS_PER_MINUTE: '0',
    METRICS_MAX_KEYS: '0',
    LOG_LEVEL: 'error',
  });

/** With a trace of each request, sent to a collector in this process. */
export async function startTracedCorral(backendUrl: string): Promise<RunningContender> {
  const collector = await startTraceCollector();
  // Deliveries are dropped, because keeping them would fill the memory.
  collector.respond = (response) => {
    (collector.deliveries as unknown[]).length = 0;
    response.end();
  };
  const gateway = await startGateway(backendUrl, {
    ...highLimits,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
    },
  };
}

const compileCache = join(cacheFolder, 'node');
let isCacheFilled = false;

/** As the images do. The processes of the bench would not do it, because they are killed. */
function fillCompileCache(): void {
  if (isCacheFilled) return;
  const script = join(projectFolder, 'cli/container/fill-compile-cache.ts');
  spawnSync(process.execPath, [script], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache },
    stdio: 'inherit',
  });
  isCacheFilled = true;
}

function startGateway(backendUrl: string, env: Readonly<Record<string, string>>): Promise<RunningContender> {
  fillCompileCache();
  return startContender(async ({ port, folder }) => {
    const { secrets, file } = await createSecrets(folder);
    const keys = Object.fromEntries(secrets.map((secret, n) => [`bench-${n}`, { secret }]));
    const dataDir = folder.file('data');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'keys.json'), keyFileText(keys), { mode: 0o600 });
    return {
      ...defaultGatewayCommand,
      env: {
        ...allocatorSettings,
        NODE_COMPILE_CACHE: compileCache,
        HOST: '127.0.0.1',
        PORT: String(port),
        BACKEND_URL: backendUrl,
        DATA_DIR: dataDir,
        LOG_FORMAT: 'json',
        ...env,
      },
      outputTo: folder.file('log'),
      probe: '/readyz',
      contender: { keyFile: file },
    };
  });
}
