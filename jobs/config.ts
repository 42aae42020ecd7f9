import type { GatewayAddress } from '../client/gateway-client.ts';
import type { Settings } from '../settings/variables.ts';
import { type StoreConfig, storeConfig } from '../store/config.ts';

/** The configuration of the runner. */
export interface RunnerConfig {
  readonly store: StoreConfig;
  readonly gateway: GatewayAddress;
  /** The longest line of an input file, in bytes. */
  readonly maxLineLength: number;
  /** How often a background response may begin anew, and how often in a row an engine may fail with it. */
  readonly maxReplays: number;
  /** How long lines and responses may still run after a signal. */
  readonly drainMs: number;
}

/** What a line of an input file has besides the body of its request, in bytes. */
const ENVELOPE = 4096;

/** Lists what is missing. HOST and PORT are those at which the supervisor reaches the gateway. */
export function runnerConfig(settings: Settings): RunnerConfig | { readonly problems: readonly string[] } {
  const { STORE, RUNNER_KEY: key, HOST = '127.0.0.1', PORT } = settings;
  const problems = [
    ...(STORE ? [] : ['STORE: is off; turn it on to run batches']),
    ...(key === undefined ? ['RUNNER_KEY: not set; corral serve generates it'] : []),
  ];
  if (key === undefined || problems.length > 0) return { problems };
  return {
    store: storeConfig(settings),
    gateway: { origin: `http://${HOST}:${PORT}`, key },
    maxLineLength: settings.MAX_REQUEST_BODY_SIZE + ENVELOPE,
    maxReplays: settings.MAX_REPLAYS,
    drainMs: settings.DRAIN_TIMEOUT,
  };
}
