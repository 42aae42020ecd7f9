import { join, resolve } from 'node:path';
import { type Backend, parseBackendUrl } from '../health/backend.ts';
import { parseAdapters } from '../models/adapters.ts';
import { DAY } from '../settings/durations.ts';
import { type TraceConfig, traceConfig } from '../settings/trace-config.ts';
import type { Settings } from '../settings/variables.ts';
import { type StoreConfig, storeConfig } from '../store/config.ts';

/** ms. Each sample costs nvidia-smi some milliseconds of CPU time. */
const MIN_GPU_INTERVAL = 100;

export interface GpuConfig {
  /** nvidia-smi; undefined where GPUs are not monitored. */
  readonly program: string | undefined;
  readonly intervalMs: number;
}

/** Limits per minute; 0 is no limit. */
export interface Rates {
  readonly requests: number;
  readonly tokens: number;
}

export interface BodyBudgetOptions {
  /** Bytes of bodies in memory, of all requests together. */
  readonly total: number;
  /** Bytes of those of one key, or of one network where no key is required. */
  readonly perOwner: number;
  /** Of one of the users of a key, who share what the key has. */
  readonly perUser: number;
}

/** Where responses are kept, and for how long. */
export interface ResponseCacheConfig {
  readonly kind: 'memory' | 'redis';
  /** In memory. */
  readonly maxBytes: number;
  readonly ttlMs: number;
}

/** Sign-in with tokens of one issuer. */
export interface OidcConfig {
  readonly issuer: string;
  /** A token is for us if it is for one of them. */
  readonly audience: readonly string[];
  readonly claimsFile: string;
  /** How long the keys of an issuer that cannot be reached stay in use, ms. */
  readonly staleMs: number;
  /** Where identities are kept for the runner; undefined where there is none. */
  readonly identitiesFile: string | undefined;
}

/** Where `models.json` is, and where its fields find files. Both paths are absolute. */
export interface RegistryPlace {
  readonly file: string;
  readonly modelsDir: string;
}

/** The gateway's configuration: plain values, durations in ms, sizes in bytes. */
export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  /** The only llama-server; undefined with several models. */
  readonly backend: Backend | undefined;
  readonly auth: {
    readonly enabled: boolean;
    /** Called for each read: `corral keys import` changes the file while the gateway runs. */
    readonly keyFile: () => string;
    /** `id:secret,…` */
    readonly inlineKeys: string | undefined;
    /** The key of RunPod's queue worker; undefined where there is none. */
    readonly queueWorkerKey: string | undefined;
    /** The secret of the runner of batches; undefined where there is none. */
    readonly runnerKey: string | undefined;
    /** Undefined where tokens are not accepted. */
    readonly oidc: OidcConfig | undefined;
    /** How old a secret may become without a warning; undefined is no limit. */
    readonly keyMaxAgeMs: number | undefined;
    /** Per address and minute; 0 is no limit. */
    readonly maxFailedLogins: number;
  };
  /** Addresses and CIDR blocks of proxies whose X-Forwarded headers are trusted. */
  readonly trustedProxies: readonly string[];
  readonly ledger: {
    /** The folder of `usage.sqlite`. */
    readonly dataDir: string;
    readonly retentionDays: number;
    readonly costPerHour: number | undefined;
  };
  readonly models: {
    /** The public names; empty to use the backend's own name. */
    readonly names: readonly string[];
    readonly strict: boolean;
    /** The names of the adapters of the only model. */
    readonly adapters: readonly string[];
  };
  /** The file with the models and aliases; undefined with one model. */
  readonly registry: RegistryPlace | undefined;
  /** Undefined unless files and batches are kept. */
  readonly store: StoreConfig | undefined;
  /** The file with prompts that engines read in advance; undefined without one. */
  readonly warmPrompts: string | undefined;
  /** Undefined unless responses are cached. */
  readonly responseCache: ResponseCacheConfig | undefined;
  /** Whether the backend may be asleep (`--sleep-idle-seconds`). */
  readonly maySleep: boolean;
  readonly corsOrigins: readonly string[];
  /** Whether to serve a chat page. */
  readonly hasChat: boolean;
  readonly gpu: GpuConfig;
  readonly metrics: {
    /** Whether a key is required; undefined: metrics per key are shown only to requests with a key. */
    readonly authEnabled: boolean | undefined;
    /** Number of keys with metrics of their own. */
    readonly maxKeys: number;
    /** Whether the slots of the backend share one context. */
    readonly unified: boolean;
    /** The supervisor's health server; undefined without a supervisor. */
    readonly healthUrl: string | undefined;
  };
  /** Undefined where requests are not traced. */
  readonly traces: TraceConfig | undefined;
  readonly admission: {
    /** Undefined: the number of slots of the backend. */
    readonly maxConcurrent: number | undefined;
    readonly maxWaiting: number;
    readonly maxWaitingPerLane: number;
    /** The most slots of an engine that batches may use; undefined for the default. */
    readonly batchSlots: number | undefined;
    readonly maxReplays: number;
    readonly continueStreams: boolean;
    readonly timeoutMs: number;
  };
  readonly rates: {
    /** For keys without limits of their own, per window; 0 is no limit. */
    readonly defaults: Rates;
    readonly windowSeconds: number;
    readonly redisUrl: string | undefined;
    /** How long a request may wait for Redis. */
    readonly redisTimeoutMs: number;
  };
  readonly limits: {
    readonly maxBodyBytes: number;
    /** For all request bodies in memory. */
    readonly bodies: BodyBudgetOptions;
    readonly maxConnections: number;
    /** Minimum bytes per second of a body, over each period of `clientBody`; 0 is no limit. */
    readonly minBodyRate: number;
    readonly maxHeaders: number;
    readonly maxHeaderLineBytes: number;
    readonly maxRequestLineBytes: number;
    readonly allowRemoteMedia: boolean;
    /** JSON responses of at most so many tokens are requested from the engine without streaming. */
    readonly shortAnswerTokens: number;
  };
  readonly timeouts: {
    /** Undefined: none for streams, 10 min for others. */
    readonly request: number | undefined;
    readonly firstByte: number;
    readonly streamIdle: number;
    /** Until a queued stream gets its response head. */
    readonly streamHeaders: number;
    /** Between two keep-alive comments; 0 is never. */
    readonly streamKeepAlive: number;
    /** Until any other queued request gets its response head; 0 is never. */
    readonly jsonKeepAlive: number;
    readonly clientHeader: number;
    readonly clientBody: number;
    readonly connect: number;
    readonly drain: number;
  };
}

/** Longer than it takes to detect a hung engine, so that its streams are continued instead of timing out. */
const defaultStreamIdleTimeout = (hangTimeout: number) => Math.max(120_000, hangTimeout + 30_000);

/** The budget is at least the size of the largest allowed body. */
function bodyBudget({
  MAX_REQUEST_BODY_SIZE: one,
  MAX_REQUEST_BODIES_SIZE: total,
  MAX_REQUEST_BODIES_SIZE_PER_KEY: perKey = total / 2,
}: Settings): BodyBudgetOptions {
  return { total: Math.max(total, one), perOwner: Math.max(perKey, one), perUser: Math.max(perKey / 2, one) };
}

/** Values that do not come from the settings alone. */
export interface GatewayEnvironment {
  readonly host: string;
  readonly keyFile: () => string;
  readonly dataDir: string;
  /** `BACKEND_URL`, which must be set for one model. */
  readonly backendUrl: string | undefined;
  /** URL of the supervisor's health server; undefined without a supervisor. */
  readonly healthUrl?: string | undefined;
}

export function gatewayConfig(
  settings: Settings,
  { host, keyFile, dataDir, backendUrl, healthUrl }: GatewayEnvironment,
): GatewayConfig {
  const registry = registryPlace(settings, dataDir);
  const isOne = registry === undefined && backendUrl !== undefined;
  return {
    host,
    port: settings.PORT,
    backend: isOne ? { address: parseBackendUrl(backendUrl), apiKey: settings.BACKEND_API_KEY } : undefined,
    auth: {
      enabled: settings.AUTH_ENABLED,
      keyFile,
      inlineKeys: settings.API_KEYS,
      queueWorkerKey: settings.RUNPOD_WORKER_KEY,
      runnerKey: settings.RUNNER_KEY,
      oidc: settings.AUTH_ENABLED ? oidcConfig(settings, dataDir) : undefined,
      keyMaxAgeMs: settings.KEY_MAX_AGE_DAYS && settings.KEY_MAX_AGE_DAYS * DAY,
      maxFailedLogins: settings.MAX_FAILED_LOGINS_PER_MINUTE,
    },
    trustedProxies: settings.TRUSTED_PROXIES,
    ledger: {
      dataDir,
      retentionDays: settings.USAGE_RETENTION_DAYS,
      costPerHour: settings.COST_PER_HOUR,
    },
    models: {
      names: settings.MODEL_ALIAS ?? [],
      strict: settings.STRICT_MODEL,
      // Without a supervisor, the engine is another one than that of these files.
      adapters: isOne && healthUrl !== undefined ? adapterNames(settings) : [],
    },
    registry,
    warmPrompts: settings.WARM_PROMPTS === undefined ? undefined : resolve(settings.WARM_PROMPTS),
    responseCache: responseCacheConfig(settings),
    store: settings.STORE ? storeConfig(settings, dataDir) : undefined,
    gpu: {
      program: settings.GPU_METRICS === 'off' ? undefined : settings.NVIDIA_SMI,
      intervalMs: Math.max(settings.GPU_INTERVAL, MIN_GPU_INTERVAL),
    },
    metrics: {
      authEnabled: settings.METRICS_AUTH_ENABLED,
      maxKeys: settings.METRICS_MAX_KEYS,
      unified: settings.CTX === 'auto',
      healthUrl,
    },
    traces: traceConfig(settings),
    maySleep: Boolean(settings.SLEEP_IDLE_SECONDS),
    corsOrigins: settings.CORS_ORIGINS,
    hasChat: settings.UI,
    admission: {
      maxConcurrent: settings.MAX_CONCURRENT_REQUESTS,
      maxWaiting: settings.MAX_QUEUE_SIZE,
      maxWaitingPerLane: settings.MAX_QUEUE_PER_KEY ?? settings.MAX_QUEUE_SIZE,
      batchSlots: settings.BATCH_SLOTS,
      maxReplays: settings.MAX_REPLAYS,
      continueStreams: settings.CONTINUE_STREAMS,
      timeoutMs: settings.QUEUE_TIMEOUT,
    },
    rates: {
      defaults: { requests: settings.MAX_REQUESTS_PER_MINUTE, tokens: settings.MAX_TOKENS_PER_MINUTE },
      windowSeconds: 60,
      redisUrl: settings.REDIS_URL,
      redisTimeoutMs: 75,
    },
    limits: {
      maxBodyBytes: settings.MAX_REQUEST_BODY_SIZE,
      bodies: bodyBudget(settings),
      maxConnections: settings.MAX_CONNECTIONS,
      minBodyRate: settings.CLIENT_BODY_MIN_RATE,
      maxHeaders: settings.MAX_HEADERS,
      maxHeaderLineBytes: settings.MAX_HEADER_LINE_SIZE,
      maxRequestLineBytes: settings.MAX_REQUEST_LINE_SIZE,
      allowRemoteMedia: settings.ALLOW_REMOTE_MEDIA,
      shortAnswerTokens: settings.SHORT_ANSWER_TOKENS,
    },
    timeouts: {
      request: settings.REQUEST_TIMEOUT,
      firstByte: settings.FIRST_BYTE_TIMEOUT,
      streamIdle: settings.STREAM_IDLE_TIMEOUT ?? defaultStreamIdleTimeout(settings.HANG_TIMEOUT),
      streamHeaders: settings.STREAM_HEADERS_AFTER,
      streamKeepAlive: settings.STREAM_KEEPALIVE,
      jsonKeepAlive: settings.JSON_KEEPALIVE_AFTER,
      clientHeader: settings.CLIENT_HEADER_TIMEOUT,
      clientBody: settings.CLIENT_HEADER_TIMEOUT,
      connect: settings.BACKEND_CONNECT_TIMEOUT,
      drain: settings.DRAIN_TIMEOUT,
    },
  };
}

const adapterNames = ({ LORA_ADAPTERS = [] }: Settings) =>
  parseAdapters(LORA_ADAPTERS).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.name]));

/** Incomplete settings are a problem of the start (keys/oidc-problems.ts). */
function oidcConfig(settings: Settings, dataDir: string): OidcConfig | undefined {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_CLAIMS_FILE: file } = settings;
  if (issuer === undefined || audience === undefined || file === undefined) return undefined;
  const identitiesFile = settings.RUNNER_KEY === undefined ? undefined : join(dataDir, 'identities.json');
  return { issuer, audience, claimsFile: resolve(file), staleMs: settings.OIDC_STALE, identitiesFile };
}

function responseCacheConfig(settings: Settings): ResponseCacheConfig | undefined {
  const { RESPONSE_CACHE: kind, RESPONSE_CACHE_SIZE: maxBytes, RESPONSE_CACHE_TTL: ttlMs } = settings;
  return kind === 'off' ? undefined : { kind, maxBytes, ttlMs };
}

/** Without a supervisor, only those models of the file are served that run elsewhere. */
function registryPlace({ MODELS_FILE, MODELS_DIR }: Settings, dataDir: string): RegistryPlace | undefined {
  if (MODELS_FILE === undefined) return undefined;
  return { file: resolve(MODELS_FILE), modelsDir: resolve(MODELS_DIR ?? join(dataDir, 'models')) };
}
