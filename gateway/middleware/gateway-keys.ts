import { createKeyStore, type KeyStore } from '../../keys/key-store.ts';
import type { Log } from '../../log/create-log.ts';
import type { GatewayConfig } from '../config.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import { KeyWarnings } from './key-warnings.ts';
import { queueWorkerKey } from './queue-worker-key.ts';

/** The keys of a gateway that runs, kept fresh and minded. */
export interface GatewayKeys extends Disposable {
  readonly store: KeyStore;
}

/** Opens the keys, tells the log what becomes of them, and ends what is under way with a key that is cut off. */
export function createGatewayKeys({ auth }: GatewayConfig, log: Log, live: LiveRequests): GatewayKeys {
  let told = new Set<string>();
  /** A file that is written again has mostly the same to be said of it. */
  const tellNew = (warnings: readonly string[]) => {
    for (const warning of warnings) if (!told.has(warning)) log.warn(warning);
    told = new Set(warnings);
  };
  const store = createKeyStore({
    file: auth.keyFile,
    inline: auth.inlineKeys,
    builtInKeys: auth.queueWorkerKey === undefined ? [] : [queueWorkerKey(auth.queueWorkerKey)],
    onChange: ({ keys, warnings }) => {
      log.info({ keys }, 'API keys reloaded');
      tellNew(warnings);
      endCutOff(store, log, live);
      reminders.check();
    },
    onError: (problem) => log.error(`${problem}; the keys loaded before remain valid`),
  });
  tellNew(store.warnings);
  tellOpening(store, log);
  const reminders = new KeyWarnings({
    keys: () => store.ring.keys,
    maxAgeMs: auth.keyMaxAgeMs,
    warn: (words) => log.warn(words),
  });
  return {
    store,
    [Symbol.dispose]() {
      reminders.close();
      store.close();
    },
  };
}

function tellOpening({ problem, ring }: KeyStore, log: Log): void {
  if (problem !== undefined) log.error(`${problem}; its keys were not loaded`);
  if (ring.keys.length === 0) log.warn(`no API keys configured: create one with 'corral keys create'`);
}

function endCutOff({ ring }: KeyStore, log: Log, live: LiveRequests): void {
  const cutOff = ring.keys.filter((key) => key.disabled && key.cutOff).map(({ id }) => id);
  const ended = live.cancelForKeys(new Set(cutOff));
  if (ended > 0) log.info({ requests: ended }, 'cancelled the requests of disabled keys');
}
