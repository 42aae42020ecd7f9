import { type Key, keyDefaults } from '../../keys/key.ts';
import { keyWarning } from '../../keys/key-status.ts';
import { createKeyStore, type KeyStore } from '../../keys/key-store.ts';
import { LimitChanges } from '../../keys/limit-changes.ts';
import { fingerprint, secretHint } from '../../keys/secret.ts';
import type { Log } from '../../log/create-log.ts';
import type { GatewayConfig } from '../config.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';

/** The key store of a running gateway. */
export interface GatewayKeys extends Disposable {
  readonly store: KeyStore;
}

/**
 * Opens the key store, logs its changes and warnings, and cancels requests whose key was disabled or rotated with `--now`.
 * `updateKey` is called with each key when limits may have changed.
 */
export async function createGatewayKeys(
  { auth }: GatewayConfig,
  log: Log,
  live: LiveRequests,
  updateKey: (key: Key) => void,
): Promise<GatewayKeys> {
  let logged = new Set<string>();
  /** A file that is saved again usually has the same warnings. */
  const logNew = (warnings: readonly string[]) => {
    for (const warning of warnings) if (!logged.has(warning)) log.warn(warning);
    logged = new Set(warnings);
  };
  const store = await createKeyStore({
    file: auth.keyFile,
    inline: auth.inlineKeys,
    builtInKeys: auth.queueWorkerKey === undefined ? [] : [queueWorkerKey(auth.queueWorkerKey)],
    onChange: ({ keys, warnings }) => {
      log.info({ keys }, 'API keys reloaded');
      logNew(warnings);
      cancelCutOff(store, log, live);
      reminders.check();
      limitChanges.check();
    },
    onError: (problem) => log.error(`${problem}; the keys loaded before remain valid`),
    onRecovered: (message) => log.info(message),
  });
  logNew(store.warnings);
  if (store.problem !== undefined) log.error(`${store.problem}; its keys were not loaded`);
  if (store.ring.keys.length === 0 && auth.oidc === undefined)
    log.warn(`no API keys configured: create one with 'corral keys create'`);
  const reminders = new KeyReminders({
    keys: () => store.ring.keys,
    maxAgeMs: auth.keyMaxAgeMs,
    warn: (message) => log.warn(message),
  });
  const limitChanges = new LimitChanges(() => store.ring.keys, updateKey);
  return {
    store,
    [Symbol.dispose]() {
      limitChanges[Symbol.dispose]();
      reminders.close();
      store.close();
    },
  };
}

function cancelCutOff({ ring }: KeyStore, log: Log, live: LiveRequests): void {
  const [disabled, rotated] = [true, false].map((state) =>
    ring.keys.filter((key) => key.cutOff && key.disabled === state),
  ) as [Key[], Key[]];
  const cancelled = live.cancelForKeys(
    new Set(disabled.map(({ id }) => id)),
    new Map(rotated.map(({ id, fingerprint }) => [id, fingerprint])),
  );
  if (cancelled > 0)
    log.info({ requests: cancelled }, 'cancelled the requests of disabled keys and old secrets');
}

/**
 * The key of RunPod's queue worker. RunPod authenticates its clients and decides how many jobs are sent, so this key has no
 * limits; but it queues like any other key, and its usage is recorded under its own name.
 */
function queueWorkerKey(secret: string): Key {
  return {
    ...keyDefaults,
    id: 'runpod-queue',
    fingerprint: fingerprint(secret),
    hint: secretHint(secret),
    limits: { requestsPerMinute: 0, tokensPerMinute: 0 },
    note: "jobs of RunPod's queue; this key is created at each start",
  };
}

const CHECK_INTERVAL = 600_000;

export interface KeyRemindersOptions {
  /** The current keys. */
  readonly keys: () => readonly Key[];
  readonly maxAgeMs: number | undefined;
  readonly warn: (message: string) => void;
}

/** Warns of keys that need attention soon, once a day (UTC) for each. */
export class KeyReminders {
  readonly #options: KeyRemindersOptions;
  readonly #timer = setInterval(() => this.check(), CHECK_INTERVAL).unref();
  #day = '';
  #warned = new Set<string>();

  constructor(options: KeyRemindersOptions) {
    this.#options = options;
    this.check();
  }

  /** Call it also when the keys have changed. */
  check(now = Date.now()): void {
    this.#startDay(new Date(now).toISOString().slice(0, 10));
    for (const key of this.#options.keys()) {
      if (this.#warned.has(key.id)) continue;
      const warning = keyWarning(key, now, this.#options.maxAgeMs);
      if (warning === undefined) continue;
      this.#warned.add(key.id);
      this.#options.warn(warning);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #startDay(day: string): void {
    if (day === this.#day) return;
    this.#day = day;
    this.#warned = new Set();
  }
}
