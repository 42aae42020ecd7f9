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
      log.info({ keys }, 'keys read again');
      tellNew(warnings);
      endCutOff(store, log, live);
      reminders.check();
    },
    onError: (problem) => log.error(`${problem}; the keys read before stay in force`),
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
  if (problem !== undefined) log.error(`${problem}; no key of it is known`);
  if (ring.keys.length === 0) log.warn(`no API key is known yet: make one with 'corral keys create'`);
}

function endCutOff({ ring }: KeyStore, log: Log, live: LiveRequests): void {
  const cutOff = ring.keys.filter((key) => key.disabled && key.cutOff).map(({ id }) => id);
  const ended = live.cancelForKeys(new Set(cutOff));
  if (ended > 0) log.info({ requests: ended }, 'ended what was under way with disabled keys');
}
