/**
 * Fills NODE_COMPILE_CACHE with the code of supervisor, gateway and runner. Runs while the images are built.
 *
 * V8 accepts compiled code only under the flags that it was compiled with, so each of them is loaded with its own. The
 * gateway also runs twice for a moment: functions are compiled when they are first called, and a gateway that finds them compiled
 * takes 10 MB less (docs/performance.md).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import '../../gateway/main.ts';
import '../../gateway/start-gateway.ts';
import '../../gateway/tracing/tracing.ts';
import { formatKeysJson } from '../../keys/keys-json.ts';
import { createKey } from '../../keys/secret.ts';
import '../../log/log-files.ts';
import '../keys/keys-command.ts';
import '../run-command.ts';
import '../serve/prepare-deployment.ts';
import '../serve/serve-command.ts';
import '../serve/serve.ts';
import { runnerProgram } from '../../supervisor/runner-process.ts';
import { defaultGatewayCommand } from '../../supervisor/spawn-gateway.ts';
import './health-check.ts';

/** Until a gateway listens and has ended, ms. */
const TIMEOUT = 60_000;

const backend = 'http://127.0.0.1:1';

/**
 * Starts a gateway without a backend, and ends it when it listens. It has a key file, and may have one of models, as it loads
 * what reads them only then.
 */
async function runGateway(models: 'one' | 'several'): Promise<void> {
  const { command, args } = defaultGatewayCommand;
  const dataDir = mkdtempSync(join(tmpdir(), 'corral-'));
  const { key } = createKey('app', {}, Date.now());
  writeFileSync(join(dataDir, 'keys.json'), formatKeysJson({ keys: [key], extraFields: {} }));
  const modelsFile = join(dataDir, 'models.json');
  writeFileSync(modelsFile, JSON.stringify({ version: 1, models: [{ id: 'a', backends: [backend] }] }));
  const { NODE_COMPILE_CACHE, PATH } = process.env;
  const gateway = spawn(command, args, {
    env: {
      ...{ NODE_COMPILE_CACHE, PATH, DATA_DIR: dataDir },
      ...(models === 'one' ? { BACKEND_URL: backend } : { MODELS_FILE: modelsFile }),
      ...{ HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', GPU_METRICS: 'off' },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT,
  });
  const ended = new Promise<number | null>((resolve) => void gateway.once('exit', resolve));
  for await (const line of createInterface(gateway.stdout))
    if (line.includes('listens on port')) gateway.kill('SIGTERM');
  const exitCode = await ended;
  rmSync(dataDir, { recursive: true });
  if (exitCode !== 0) throw new Error('the gateway did not start');
}

/** Loads the runner without running it: a preloaded module is not the main one. */
function loadRunner(): void {
  const [main = '', ...flags] = runnerProgram.args.toReversed();
  const { status } = spawnSync(process.execPath, [...flags, '--import', main, '--eval', ''], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the runner could not be loaded');
}

await runGateway('one');
await runGateway('several');
loadRunner();
