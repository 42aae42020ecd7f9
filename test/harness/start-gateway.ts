import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { gatewayConfig } from '../../gateway/config.ts';
import type { ParentChannel } from '../../gateway/ipc/supervisor-client.ts';
import { type Gateway, startGateway } from '../../gateway/start-gateway.ts';
import { type Backend, formatBackendUrl } from '../../health/backend.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { removeFolder } from './temporary-folder.ts';
import { waitFor } from './wait-for.ts';

/** The secret of the key `tester`, which every gateway of the harness knows unless it is given other keys. */
export const testerSecret = 'sk-tester-0123456789abcdefghijklmnopqrstuvwxyz';

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly port: number;
  /** `http://127.0.0.1:PORT`; OpenAI clients add `/v1`. */
  readonly origin: string;
  readonly secret: string;
  /** The key file, in the text format. */
  readonly keyFile: string;
  /** Its data folder. */
  readonly folder: string;
  /** Every line logged so far, parsed. */
  readonly logged: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly backend: Backend;
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly keys?: string;
  /** A folder for several starts; by default a new one that is removed at the end. */
  readonly folder?: string;
  /** Waits until the backend is ready; true by default. */
  readonly untilReady?: boolean;
  /** The length of a "minute" of the rate limits; 60 by default. */
  readonly windowSeconds?: number;
  /** The timeout of Redis; by default that of production. */
  readonly redisTimeoutMs?: number | undefined;
  /** The channel to a supervisor; none by default. */
  readonly parent?: ParentChannel;
}

/** A gateway on a free port, in this process, in front of the given backend. */
export async function startTestGateway({
  backend,
  env = {},
  keys = `tester:${testerSecret}\n`,
  untilReady = true,
  folder: kept,
  windowSeconds = 60,
  redisTimeoutMs,
  parent,
}: TestGatewayOptions): Promise<TestGateway> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'corral-gateway-'));
  const keyFile = join(folder, 'api_keys.txt');
  writeFileSync(keyFile, keys, { mode: 0o600 });
  const { settings, problems } = readSettings({
    PORT: '0',
    BACKEND_API_KEY: backend.apiKey,
    MAX_REQUESTS_PER_MINUTE: '0',
    ...env,
  });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  const { log, logged } = memoryLog();
  const config = gatewayConfig(settings, {
    host: '127.0.0.1',
    keyFile: () => keyFile,
    dataDir: folder,
    backendUrl: formatBackendUrl(backend.address),
    // Nobody listens there.
    healthUrl: parent && 'http://127.0.0.1:1',
  });
  const rates = {
    ...config.rates,
    windowSeconds,
    redisTimeoutMs: redisTimeoutMs ?? config.rates.redisTimeoutMs,
  };
  const gateway = await startGateway({ ...config, rates }, log, { parent });
  const stop = async () => {
    await gateway.stop();
    if (kept === undefined) await removeFolder(folder);
  };
  if (untilReady)
    await waitFor('the gateway to see a ready backend', () => gateway.monitor.status === 'ready');
  return {
    gateway,
    port: gateway.port,
    origin: `http://127.0.0.1:${gateway.port}`,
    secret: testerSecret,
    keyFile,
    folder,
    logged,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function memoryLog() {
  const logged: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(line, _, done) {
      logged.push(JSON.parse(String(line)));
      done();
    },
  });
  return { log: pino({ level: 'debug' }, stream), logged };
}
