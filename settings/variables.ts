import { DAY } from './durations.ts';
import {
  autoOr,
  backendUrl,
  choice,
  decimal,
  duration,
  durationFrom,
  durationFromOrOff,
  durationOrOff,
  fixedPort,
  flag,
  headerText,
  huggingFaceRepo,
  integer,
  issuerUrl,
  type Kind,
  list,
  networks,
  origins,
  path,
  port,
  size,
  sizeOrOff,
  text,
  url,
  urlPath,
} from './kinds.ts';
import { responseCacheVariables } from './response-cache-variables.ts';
import { runpodVariables } from './runpod-variables.ts';
import { MiB } from './sizes.ts';
import { storeVariables } from './store-variables.ts';
import { traceVariables } from './trace-variables.ts';
import { optional, required, type Variable } from './variable.ts';

/** The largest number for llama-server and for Node's timers. */
const mostInt = 2 ** 31 - 1;

/**
 * Every variable of llama-corral with its default and its description. docs/configuration.md is generated from this
 * table.
 */
export const variables = {
  MODEL_PATH: optional('Model', path, 'Path of the GGUF file to serve. For a split model, the first part.'),
  MODEL_NAME: optional('Model', text, 'File name of a model in `MODELS_DIR`; `.gguf` may be left out.'),
  MODELS_DIR: optional('Model', path, 'Directory in which `MODEL_NAME` is looked up.', {
    computedDefault: '`$DATA_DIR/models`',
  }),
  HF_REPO: optional(
    'Model',
    huggingFaceRepo,
    'Hugging Face repository to serve, as `user/repo[:quant]`. llama-server downloads it.',
  ),
  HF_TOKEN: optional('Model', text, 'Access token for private Hugging Face repositories.', { secret: true }),
  MODEL_URL: optional(
    'Model',
    url('https', 'http'),
    'URL of a GGUF file to serve. llama-server downloads it.',
  ),
  MODEL_ALIAS: optional(
    'Model',
    list,
    'Public names of the model, comma-separated. Responses contain the first one.',
    {
      computedDefault: 'the file name without `.gguf`',
    },
  ),
  STRICT_MODEL: required(
    'Model',
    flag,
    false,
    'Reject requests that name another model (404). By default they are served by the loaded model.',
  ),
  MODELS_FILE: optional('Model', path, 'Path of the file that lists several models and their aliases.', {
    computedDefault: '`$DATA_DIR/models.json`',
  }),
  MEMORY_BUDGET: required(
    'Model',
    autoOr(size(MiB, 1024 * 1024 * 1024 * MiB)),
    'auto',
    'Memory for all models of `MODELS_FILE` together. `auto` is that of the GPUs, or of the machine, less a margin.',
  ),
  MODEL_HOLD: required(
    'Model',
    duration,
    30_000,
    'Requests for loaded models go on for at most this long while a request waits for a model that does not fit beside them.',
  ),
  MMPROJ: optional('Model', path, 'Path of the multimodal projector for the model.'),
  DRAFT_MODEL: optional('Model', path, 'Path of a small draft model for speculative decoding.'),
  LORA_ADAPTERS: optional(
    'Model',
    list,
    'LoRA adapters of the model: `name=path`, comma-separated. Clients request one as `model:name`.',
  ),
  SPECULATE: optional(
    'Model',
    choice('auto', 'mtp', 'ngram', 'draft', 'off'),
    'Speculative decoding: with the MTP layers of the model, with n-grams of the text so far, or with `DRAFT_MODEL`. `auto` uses MTP layers, else `DRAFT_MODEL`, else nothing.',
    { computedDefault: '`draft` with `DRAFT_MODEL`, else `off`' },
  ),

  LLAMA_SERVER_BIN: optional('Engine', path, 'The llama-server binary to run.', {
    computedDefault: '`llama-server` on the `PATH`, else `/app/llama-server`',
  }),
  CTX: required('Engine', autoOr(integer(256)), 'auto', 'Context size of one request, in tokens.'),
  PARALLEL: required(
    'Engine',
    autoOr(integer(1, 256)),
    'auto',
    'Number of slots: how many requests are decoded at the same time.',
  ),
  NGL: required(
    'Engine',
    autoOr(integer(0, mostInt)),
    'auto',
    'Number of layers to put on the GPU. `auto` uses as many as fit into its memory.',
  ),
  THREADS: required(
    'Engine',
    integer(0, 512),
    0,
    'Number of CPU threads. 0 leaves the choice to llama-server.',
  ),
  FLASH_ATTN: required(
    'Engine',
    choice('auto', 'on', 'off'),
    'auto',
    'Flash attention. `auto` leaves the choice to llama-server.',
  ),
  CACHE_TYPE_K: optional('Engine', text, 'Data type of the K part of the KV cache, such as `q8_0`.', {
    computedDefault: '`f16`',
  }),
  CACHE_TYPE_V: optional('Engine', text, 'Data type of the V part of the KV cache, such as `q8_0`.', {
    computedDefault: '`f16`',
  }),
  EXTRA_ARGS: optional(
    'Engine',
    text,
    'Further arguments for llama-server, quoted as in a shell. Arguments that would weaken its isolation are rejected.',
  ),
  WARM_PROMPTS: optional(
    'Engine',
    path,
    'File with requests, one per line, whose prompts are read into the prompt cache on idle slots after each load of the model.',
    { computedDefault: 'no prompts are read in advance' },
  ),
  SLEEP_IDLE_SECONDS: optional(
    'Engine',
    durationOrOff,
    'Unload the model after this long without a request. The next request waits until it is loaded again.',
  ),
  RESTART_DELAY_MIN: required(
    'Engine',
    duration,
    1000,
    'Delay before llama-server is restarted after a crash. It doubles with each further crash. 0 restarts at once.',
  ),
  RESTART_DELAY_MAX: required('Engine', duration, 30_000, 'Longest delay before a restart.'),
  RESTART_MAX_CRASHES: required(
    'Engine',
    integer(1, 1_000_000),
    5,
    'Give up and exit after this many crashes within `RESTART_WINDOW`.',
  ),
  RESTART_WINDOW: required(
    'Engine',
    durationFrom(1000),
    300_000,
    'Time window in which `RESTART_MAX_CRASHES` counts crashes.',
  ),
  RESTART_MAX_LOAD_CRASHES: required(
    'Engine',
    integer(1, 1_000_000),
    2,
    'Give up after this many consecutive crashes of the same kind while the model loads.',
  ),

  HOST: optional('Network', text, 'Address on which the gateway and the health server listen.', {
    computedDefault: '`0.0.0.0` in a container, `127.0.0.1` elsewhere',
  }),
  PORT: required('Network', port, 8000, 'Port of the gateway. 0 picks a free port.'),
  PORT_HEALTH: required('Network', port, 8001, 'Port of the health server. 0 picks a free port.'),
  PORT_BACKEND: optional('Network', fixedPort, 'Let llama-server listen on this loopback port.', {
    computedDefault: 'a unix socket',
  }),
  BACKEND_URL: optional(
    'Network',
    backendUrl,
    'For `corral gateway`: address of the llama-server (`http://host:port` or `unix:/path.sock`).',
  ),
  BACKEND_API_KEY: optional('Network', headerText, 'For `corral gateway`: API key of that llama-server.', {
    secret: true,
  }),
  CORS_ORIGINS: required(
    'Network',
    origins,
    [],
    'Origins from which browsers may call the API, comma-separated; patterns are allowed (`https://*.app.example`, `http://localhost:*`, `chrome-extension://*`). `*` allows every origin; empty allows none.',
  ),
  UI: required(
    'Network',
    flag,
    true,
    'Serve a chat page at `/chat`, which calls the API with the key of its user.',
  ),
  TRUSTED_PROXIES: required(
    'Network',
    networks,
    [],
    'Addresses and networks (`10.0.0.0/8`) of trusted reverse proxies, comma-separated. Only their `X-Forwarded-For`, `-Proto` and `-Host` headers are used.',
  ),
  HEALTH_CHECK_PATH: optional(
    'Network',
    urlPath,
    'An additional path on the health server that responds like `/ping`.',
  ),
  PING_ALWAYS_OK: required(
    'Network',
    flag,
    false,
    'Respond 200 to every GET on the health server, as llama-gguf-inference did.',
  ),

  AUTH_ENABLED: required('Keys', flag, true, 'Require an API key.'),
  ALLOW_UNAUTHENTICATED: required('Keys', flag, false, 'Allow `AUTH_ENABLED=false` on a public address.'),
  AUTH_KEYS_FILE: optional(
    'Keys',
    path,
    'Path of the key file (`keys.json`, or `api_keys.txt` of llama-gguf-inference).',
    {
      computedDefault: '`$DATA_DIR/keys.json`; `$DATA_DIR/api_keys.txt` if only that exists',
    },
  ),
  API_KEYS: optional('Keys', text, 'API keys without a file: `id:secret,id:secret`.', { secret: true }),
  OIDC_ISSUER: optional(
    'Keys',
    issuerUrl,
    'Accept JSON Web Tokens of this OpenID Connect issuer beside the keys. Exactly as in the `iss` of its tokens.',
    { computedDefault: 'no tokens are accepted' },
  ),
  OIDC_AUDIENCE: optional(
    'Keys',
    list,
    'Tokens must be for one of these audiences (`aud`), comma-separated. Required with `OIDC_ISSUER`.',
  ),
  OIDC_CLAIMS_FILE: optional(
    'Keys',
    path,
    'Path of the file that says which rights the claims of a token give. Required with `OIDC_ISSUER`.',
  ),
  OIDC_STALE: required(
    'Keys',
    duration,
    DAY,
    'How long the keys of the issuer stay in use while it cannot be reached. Then tokens get 503.',
  ),
  USAGE_RETENTION_DAYS: required('Keys', integer(1, 100_000), 400, 'Days of usage kept in the ledger.'),
  COST_PER_HOUR: optional(
    'Keys',
    decimal,
    'Price of one hour of this machine, in any currency. Usage reports then show cost as well.',
  ),
  KEY_MAX_AGE_DAYS: optional(
    'Keys',
    integer(1, 100_000),
    'Warn about keys whose secret is older than this many days.',
  ),
  MAX_FAILED_LOGINS_PER_MINUTE: required(
    'Keys',
    integer(0),
    20,
    'Invalid keys that one client address may send per minute before it gets 429. 0 turns the limit off.',
  ),

  MAX_CONCURRENT_REQUESTS: optional(
    'Admission',
    integer(1),
    'Maximum number of requests at the backend at the same time.',
    {
      computedDefault: 'the number of slots',
    },
  ),
  MAX_QUEUE_SIZE: required(
    'Admission',
    integer(0),
    100,
    'Maximum number of queued requests. 0 turns queueing off.',
  ),
  MAX_QUEUE_PER_KEY: optional('Admission', integer(0), 'Maximum number of queued requests of one key.', {
    computedDefault: '`MAX_QUEUE_SIZE`, as long as no other key needs the space',
  }),
  MAX_REPLAYS: required(
    'Admission',
    integer(0),
    3,
    'How often a request is sent again when the engine crashes while working on it, before any output.',
  ),
  CONTINUE_STREAMS: required(
    'Admission',
    flag,
    true,
    'Continue a response that has started when the engine crashes, on the restarted engine. If `false`, a stream ends with an error event, and a response without streaming is generated again.',
  ),
  SHORT_ANSWER_TOKENS: required(
    'Admission',
    integer(0, 1_000_000),
    32,
    'Requests without streaming are sent to llama-server as streams, because it notices a client’s disconnect at once only there. Requests for at most this many tokens are sent unchanged, which takes about a third less gateway CPU time. 0 sends all of them as streams.',
  ),
  QUEUE_TIMEOUT: required(
    'Admission',
    duration,
    120_000,
    'Longest time a request may queue. 0 rejects requests that would have to wait.',
  ),

  MAX_REQUESTS_PER_MINUTE: required(
    'Limits',
    integer(0),
    100,
    'Requests per minute for keys that have no limit in the key file. 0 turns the limit off.',
  ),
  MAX_TOKENS_PER_MINUTE: required(
    'Limits',
    integer(0),
    0,
    'Tokens per minute (input and output) for keys that have no limit in the key file. 0 turns the limit off.',
  ),
  REDIS_URL: optional(
    'Limits',
    url('redis', 'rediss'),
    'Redis or Valkey in which several gateways share request and token counts (`redis://:password@host:6379/0`).',
    { computedDefault: 'each gateway counts separately', secret: true },
  ),
  MAX_REQUEST_BODY_SIZE: required(
    'Limits',
    size(1, 256 * MiB),
    10 * MiB,
    'Largest request body, including chunked ones. Larger ones get 413.',
  ),
  MAX_REQUEST_BODIES_SIZE: required(
    'Limits',
    size(1, 1024 * 1024 * MiB),
    256 * MiB,
    'Memory for all request bodies together, including those of queued requests. Requests beyond it get 503. One body of `MAX_REQUEST_BODY_SIZE` always fits.',
  ),
  MAX_REQUEST_BODIES_SIZE_PER_KEY: optional(
    'Limits',
    size(1, 1024 * 1024 * MiB),
    'The same for one key, or for one client address (IPv6: its /64) if no key is required. Requests beyond it get 429.',
    { computedDefault: 'half of `MAX_REQUEST_BODIES_SIZE`' },
  ),
  MAX_CONNECTIONS: required(
    'Limits',
    integer(1),
    10_000,
    'Maximum number of open connections; fewer if the system allows fewer open files. Beyond it, idle connections are closed first.',
  ),
  CLIENT_BODY_MIN_RATE: required(
    'Limits',
    sizeOrOff(1024 * MiB),
    240,
    'Minimum upload rate of a request body in bytes per second, averaged over each `CLIENT_HEADER_TIMEOUT`. 0 turns the limit off.',
  ),
  MAX_HEADERS: required('Limits', integer(8, 1000), 64, 'Maximum number of request headers.'),
  MAX_HEADER_LINE_SIZE: required('Limits', size(256, MiB), 8192, 'Longest request header line.'),
  MAX_REQUEST_LINE_SIZE: required('Limits', size(256, MiB), 8192, 'Longest request line.'),
  ALLOW_REMOTE_MEDIA: required(
    'Limits',
    flag,
    false,
    'Allow requests to name images, audio or video by URL. llama-server then fetches them.',
  ),

  REQUEST_TIMEOUT: optional(
    'Timeouts',
    durationOrOff,
    'Longest time a request may take at the backend. 0 turns the limit off.',
    {
      computedDefault: 'off for streams, 10m for other requests',
    },
  ),
  FIRST_BYTE_TIMEOUT: required(
    'Timeouts',
    durationOrOff,
    300_000,
    'Longest time until the first byte of a stream. 0 turns the limit off.',
  ),
  STREAM_IDLE_TIMEOUT: optional(
    'Timeouts',
    durationOrOff,
    'Longest pause within a stream. 0 turns the limit off.',
    {
      computedDefault:
        '2m, but at least `HANG_TIMEOUT` + 30s, so that the stream of a hung engine is continued',
    },
  ),
  STREAM_HEADERS_AFTER: required(
    'Timeouts',
    duration,
    5000,
    'Send the headers of a queued or slow stream after this long; until then it can still fail with an HTTP status. 0 sends them at once.',
  ),
  STREAM_KEEPALIVE: required(
    'Timeouts',
    duration,
    10_000,
    'Send a keep-alive comment after this much silence in a response. 0 turns keep-alives off.',
  ),
  JSON_KEEPALIVE_AFTER: required(
    'Timeouts',
    durationOrOff,
    0,
    'For requests without streaming: after this long, send the headers, then white space until the JSON follows. 0 turns it off.',
  ),
  CLIENT_HEADER_TIMEOUT: required(
    'Timeouts',
    durationFrom(100),
    30_000,
    'Longest time a client may take to send the request headers, and longest pause while it sends the body.',
  ),
  BACKEND_CONNECT_TIMEOUT: required(
    'Timeouts',
    durationOrOff,
    10_000,
    'Longest time to connect to the backend. 0 leaves it to the operating system.',
  ),
  LOAD_TIMEOUT: required(
    'Timeouts',
    durationFromOrOff(100),
    1_800_000,
    'Longest time the model may take to load. 0 turns the limit off.',
  ),
  HANG_TIMEOUT: required(
    'Timeouts',
    durationFromOrOff(1000),
    120_000,
    'Restart llama-server or the gateway after this long without progress or without a response to probes. 0 turns it off.',
  ),
  DRAIN_TIMEOUT: required(
    'Timeouts',
    duration,
    25_000,
    'How long running requests may continue after SIGTERM. 0 aborts them at once.',
  ),

  ...storeVariables,

  ...responseCacheVariables,

  LOG_FORMAT: required('Logs', choice('text', 'json', 'logfmt'), 'text', 'Format of log lines.'),
  LOG_LEVEL: required(
    'Logs',
    choice('debug', 'info', 'warn', 'error'),
    'info',
    'Lowest level that is logged.',
  ),
  LOG_FILES: required('Logs', flag, false, 'Also write the log to files in `$DATA_DIR/logs`.'),
  LOG_FILE_SIZE: required(
    'Logs',
    size(1024, 1024 ** 2 * MiB),
    10 * MiB,
    'Size at which a log file is rotated.',
  ),
  LOG_FILE_COUNT: required('Logs', integer(1, 100), 5, 'Number of rotated log files to keep.'),

  METRICS_AUTH_ENABLED: optional(
    'Metrics',
    flag,
    'Require a key with the scope `metrics` or `admin` for `/metrics`. `false` shows all metrics to everyone.',
    { computedDefault: 'everyone sees all metrics except those of single keys' },
  ),
  METRICS_MAX_KEYS: required(
    'Metrics',
    integer(0),
    200,
    'Number of keys with separate metrics: the first ones that are used. All others are counted together as `other`.',
  ),
  GPU_METRICS: required(
    'Metrics',
    choice('auto', 'off'),
    'auto',
    'Read GPU metrics from nvidia-smi, if it is installed.',
  ),
  NVIDIA_SMI: required(
    'Metrics',
    text,
    'nvidia-smi',
    'The nvidia-smi to run: a path, or a name on the `PATH`.',
  ),
  GPU_INTERVAL: required(
    'Metrics',
    duration,
    2000,
    'Interval between two readings of the GPUs, at least 100ms.',
  ),

  ...traceVariables,

  IDLE_SHUTDOWN_SECONDS: optional(
    'Platform',
    durationOrOff,
    'Shut down after this long without a request. A RunPod or Vast instance that has its own API key is stopped as well. 0 turns it off.',
  ),
  RUNPOD_API_URL: required(
    'Platform',
    url('https', 'http'),
    'https://api.runpod.io/v2',
    "RunPod API that stops an idle pod. A URL that ends in `/v1` selects RunPod's first REST API, version 1.",
  ),
  VAST_API_URL: required(
    'Platform',
    url('https', 'http'),
    'https://console.vast.ai/api/v0',
    'Vast API that stops an idle instance.',
  ),
  ...runpodVariables,
  DATA_DIR: optional('Platform', path, 'Directory for keys, models, usage and logs.', {
    computedDefault:
      'the first of `/runpod-volume`, `/workspace`, `/data` that exists and is writable (or holds a key file), else `./data`',
  }),
  CORE_DUMPS: required(
    'Platform',
    flag,
    false,
    'Let crashes write core files, for debugging. They contain secrets and prompts.',
  ),
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof variables;

type ValueOf<V> = V extends { readonly kind: Kind<infer T>; readonly default: infer D }
  ? D extends undefined
    ? T | undefined
    : T
  : never;

/** The value of every variable; undefined if it is unset and has no fixed default. */
export type Settings = { readonly [Name in VariableName]: ValueOf<(typeof variables)[Name]> };
