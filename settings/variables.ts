import {
  autoOr,
  choice,
  decimal,
  duration,
  durationFrom,
  durationFromOrOff,
  durationOrOff,
  fixedPort,
  flag,
  huggingFaceRepo,
  integer,
  type Kind,
  list,
  networks,
  path,
  port,
  size,
  sizeOrOff,
  text,
  url,
  urlPath,
} from './kinds.ts';
import { traceVariables } from './trace-variables.ts';
import { optional, required, type Variable } from './variable.ts';
import { backendUrl, headerText, origins } from './wire-kinds.ts';

export { type Section, sections, type Variable } from './variable.ts';

/** What llama-server, and Node's timers, can count to. */
const mostInt = 2 ** 31 - 1;
const longestMs = 1_000_000_000;
const MiB = 1024 ** 2;

/** Every variable that llama-corral reads, with its default and its meaning: the only place that knows them. */
export const variables = {
  MODEL_PATH: optional('Model', path, 'The GGUF file to serve (the first part of a split model).'),
  MODEL_NAME: optional('Model', text, 'The file name of a model inside `MODELS_DIR`.'),
  MODELS_DIR: optional('Model', path, 'Where `MODEL_NAME` is looked for.', {
    computedDefault: '`$DATA_DIR/models`',
  }),
  HF_REPO: optional(
    'Model',
    huggingFaceRepo,
    'A Hugging Face repository, `user/repo[:quant]`; llama-server downloads it.',
  ),
  HF_TOKEN: optional('Model', text, 'The token for a private Hugging Face repository.', { secret: true }),
  MODEL_URL: optional(
    'Model',
    url('https', 'http'),
    'The address of a GGUF file; llama-server downloads it.',
  ),
  MODEL_ALIAS: optional('Model', list, 'The public names of the model; the first is the one answers carry.', {
    computedDefault: 'the file name without `.gguf`',
  }),
  STRICT_MODEL: required(
    'Model',
    flag,
    false,
    'Refuse a request that names another model (404) instead of serving it.',
  ),
  MMPROJ: optional('Model', path, 'The multimodal projector that belongs to the model.'),
  DRAFT_MODEL: optional('Model', path, 'A small model for speculative decoding.'),

  LLAMA_SERVER_BIN: optional('Engine', path, 'The llama-server to run.', {
    computedDefault: '`llama-server` on the `PATH`, then `/app/llama-server`',
  }),
  CTX: required('Engine', autoOr(integer(256)), 'auto', 'Context tokens of one request.'),
  PARALLEL: required('Engine', autoOr(integer(1, 256)), 'auto', 'Slots: requests decoded at the same time.'),
  NGL: required(
    'Engine',
    autoOr(integer(0, mostInt)),
    'auto',
    'Layers to put on the GPU; `auto` fits them to its memory.',
  ),
  THREADS: required('Engine', integer(0, 512), 0, 'CPU threads; 0 leaves the choice to llama-server.'),
  FLASH_ATTN: required('Engine', choice('auto', 'on', 'off'), 'auto', 'Flash attention.'),
  CACHE_TYPE_K: optional('Engine', text, 'Data type of the KV cache for keys, such as `q8_0`.', {
    computedDefault: '`f16`',
  }),
  CACHE_TYPE_V: optional('Engine', text, 'Data type of the KV cache for values.', {
    computedDefault: '`f16`',
  }),
  EXTRA_ARGS: optional(
    'Engine',
    text,
    'More arguments for llama-server, quoted as in a shell. Those that would undo its isolation are refused.',
  ),
  SLEEP_IDLE_SECONDS: optional(
    'Engine',
    durationOrOff,
    'Let llama-server give its memory back after so long without a request; the next one waits for the model to load again.',
  ),
  RESTART_DELAY_MIN: required(
    'Engine',
    duration,
    1000,
    'The wait before llama-server is started again after a crash; it doubles with each further crash. 0 waits not at all.',
  ),
  RESTART_DELAY_MAX: required('Engine', duration, 30_000, 'The longest wait before a restart.'),
  RESTART_MAX_CRASHES: required(
    'Engine',
    integer(1, 1_000_000),
    5,
    'Crashes within `RESTART_WINDOW` after which it is given up and the process ends.',
  ),
  RESTART_WINDOW: required('Engine', durationFrom(1000), 300_000, 'See `RESTART_MAX_CRASHES`.'),
  RESTART_MAX_LOAD_CRASHES: required(
    'Engine',
    integer(1, 1_000_000),
    2,
    'Crashes in a row while the model loads, all of one class, after which it is given up.',
  ),

  HOST: optional('Network', text, 'The address that the gateway and the health server listen on.', {
    computedDefault: '`0.0.0.0` in a container, `127.0.0.1` elsewhere',
  }),
  PORT: required('Network', port, 8000, 'The port of the gateway.'),
  PORT_HEALTH: required('Network', port, 8001, 'The port of the health server.'),
  PORT_BACKEND: optional('Network', fixedPort, 'Put llama-server on this loopback port.', {
    computedDefault: 'a unix socket',
  }),
  BACKEND_URL: optional(
    'Network',
    backendUrl,
    'For `corral gateway`: the llama-server to stand in front of (`http://host:port` or `unix:/path.sock`).',
  ),
  BACKEND_API_KEY: optional('Network', headerText, 'For `corral gateway`: the key of that llama-server.', {
    secret: true,
  }),
  CORS_ORIGINS: required(
    'Network',
    origins,
    [],
    'Origins that browsers may call from, or patterns of them (`https://*.app.example`, `http://localhost:*`, `chrome-extension://*`); `*` allows all, empty none.',
  ),
  TRUSTED_PROXIES: required(
    'Network',
    networks,
    [],
    'Addresses and networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; empty believes none.',
  ),
  HEALTH_CHECK_PATH: optional(
    'Network',
    urlPath,
    'A further path that the health server answers like `/ping`.',
  ),
  PING_ALWAYS_OK: required(
    'Network',
    flag,
    false,
    'Answer 200 to every GET of the health server, as the Python ancestor did.',
  ),

  AUTH_ENABLED: required('Keys', flag, true, 'Ask for an API key.'),
  ALLOW_UNAUTHENTICATED: required(
    'Keys',
    flag,
    false,
    'Confirm that `AUTH_ENABLED=false` is wanted on a public address.',
  ),
  AUTH_KEYS_FILE: optional('Keys', path, 'The key file, in either form.', {
    computedDefault: '`$DATA_DIR/keys.json`, or `$DATA_DIR/api_keys.txt` where only that exists',
  }),
  API_KEYS: optional('Keys', text, 'Keys without a file: `id:secret,id:secret`.', { secret: true }),
  USAGE_RETENTION_DAYS: required('Keys', integer(1, 100_000), 400, 'Days of usage that the ledger keeps.'),
  COST_PER_HOUR: optional(
    'Keys',
    decimal,
    'What an hour of this machine costs, in any currency: usage is then shown in money, too.',
  ),
  KEY_MAX_AGE_DAYS: optional(
    'Keys',
    integer(1, 100_000),
    'Warn of keys whose secret is older than this many days.',
  ),
  MAX_FAILED_LOGINS_PER_MINUTE: required(
    'Keys',
    integer(0),
    20,
    'Wrong keys that one address may try before it is told to wait (429); 0 turns the limit off.',
  ),

  MAX_CONCURRENT_REQUESTS: optional('Admission', integer(1), 'Requests at the backend at the same time.', {
    computedDefault: "the backend's slots",
  }),
  MAX_QUEUE_SIZE: required('Admission', integer(0), 100, 'Requests that may wait; 0 turns waiting off.'),
  MAX_QUEUE_PER_KEY: optional('Admission', integer(0), 'Requests of one key that may wait.', {
    computedDefault: '`MAX_QUEUE_SIZE`, as far as no other key needs the room',
  }),
  MAX_REPLAYS: required(
    'Admission',
    integer(0),
    3,
    'How often a request is sent again when the engine dies over it before it has said anything.',
  ),
  CONTINUE_STREAMS: required(
    'Admission',
    flag,
    true,
    'Whether an answer that has begun when the engine dies goes on with the next engine; else a stream ends with an error event, and an answer in one piece is made anew.',
  ),
  SHORT_ANSWER_TOKENS: required(
    'Admission',
    integer(0, 1_000_000),
    32,
    'Answers that can have no more tokens than this are asked of llama-server in one piece, as their clients want them, which costs a third of the gateway’s time. Longer ones are asked for as streams and put together here, as only of a stream llama-server knows at once that its client has left; 0 does so with all.',
  ),
  QUEUE_TIMEOUT: required('Admission', duration, 120_000, 'How long a request may wait; 0 lets none wait.'),

  MAX_REQUESTS_PER_MINUTE: required(
    'Limits',
    integer(0),
    100,
    'Requests that a key may make in a minute unless it has a limit of its own; 0 turns the limit off.',
  ),
  MAX_TOKENS_PER_MINUTE: required(
    'Limits',
    integer(0),
    0,
    'Tokens, in and out, that a key may use in a minute unless it has a limit of its own; 0 turns the limit off.',
  ),
  REDIS_URL: optional(
    'Limits',
    url('redis', 'rediss'),
    'A Redis or Valkey in which several gateways count requests and tokens together (`redis://:password@host:6379/0`).',
    { computedDefault: 'each gateway counts alone', secret: true },
  ),
  MAX_REQUEST_BODY_SIZE: required(
    'Limits',
    size(1, 256 * MiB),
    10 * MiB,
    'The largest request body, chunked ones too.',
  ),
  MAX_REQUEST_BODIES_SIZE: required(
    'Limits',
    size(1, 1024 * 1024 * MiB),
    256 * MiB,
    'All request bodies that are in memory, those of requests that wait in line too. Beyond it requests are refused (503); one of `MAX_REQUEST_BODY_SIZE` always has room.',
  ),
  MAX_REQUEST_BODIES_SIZE_PER_KEY: optional(
    'Limits',
    size(1, 1024 * 1024 * MiB),
    'The same of one key, or of one address (IPv6: its /64) where no key is asked for. Beyond it its requests are refused (429).',
    { computedDefault: 'half of `MAX_REQUEST_BODIES_SIZE`' },
  ),
  MAX_CONNECTIONS: required(
    'Limits',
    integer(1),
    10_000,
    'Open connections at the most, less where the system allows fewer open files. Beyond, idle ones are closed first.',
  ),
  CLIENT_BODY_MIN_RATE: required(
    'Limits',
    sizeOrOff(1024 * MiB),
    240,
    'Bytes per second that a request body has to bring on average in each span of `CLIENT_HEADER_TIMEOUT`; 0 turns it off.',
  ),
  MAX_HEADERS: required('Limits', integer(8, 1000), 64, 'The most request headers.'),
  MAX_HEADER_LINE_SIZE: required('Limits', size(256, MiB), 8192, 'The longest request header line.'),
  MAX_REQUEST_LINE_SIZE: required('Limits', size(256, MiB), 8192, 'The longest request line.'),
  ALLOW_REMOTE_MEDIA: required(
    'Limits',
    flag,
    false,
    'Let requests name images, audio or video by URL, which llama-server then fetches.',
  ),

  REQUEST_TIMEOUT: optional(
    'Timeouts',
    durationOrOff,
    'The longest a request may take at the backend; 0 turns it off.',
    {
      computedDefault: 'off for streams, 10m for other requests',
    },
  ),
  FIRST_BYTE_TIMEOUT: required(
    'Timeouts',
    durationOrOff,
    300_000,
    'The longest silence before the first byte of a stream; 0 turns it off.',
  ),
  STREAM_IDLE_TIMEOUT: optional(
    'Timeouts',
    durationOrOff,
    'The longest silence inside a stream; 0 turns it off.',
    {
      computedDefault:
        '2 m, and at least 30 s more than `HANG_TIMEOUT`, so that the stream of a hung engine is continued',
    },
  ),
  STREAM_HEADERS_AFTER: required(
    'Timeouts',
    duration,
    5000,
    'How long a stream may wait before its status and headers go out; until then it can be refused with a status. 0 sends them at once.',
  ),
  STREAM_KEEPALIVE: required(
    'Timeouts',
    duration,
    10_000,
    'Silence in an answer under way after which a sign of life is sent; 0 turns them off.',
  ),
  JSON_KEEPALIVE_AFTER: required(
    'Timeouts',
    durationOrOff,
    0,
    'Let requests without a stream wait so long, then send their headers and white space until the JSON follows; 0 turns it off.',
  ),
  CLIENT_HEADER_TIMEOUT: required(
    'Timeouts',
    durationFrom(100),
    30_000,
    'How long a client may take to send the head of a request, and may be silent within its body.',
  ),
  BACKEND_CONNECT_TIMEOUT: required(
    'Timeouts',
    durationOrOff,
    10_000,
    'How long a connection to the backend may take; 0 leaves that to the system.',
  ),
  LOAD_TIMEOUT: required(
    'Timeouts',
    durationFromOrOff(100),
    1_800_000,
    'How long the model may take to load; 0 turns it off.',
  ),
  HANG_TIMEOUT: required(
    'Timeouts',
    durationFromOrOff(1000),
    120_000,
    'How long a busy llama-server may make no progress, or a silent llama-server or gateway give no answer, before it is restarted; 0 turns that off.',
  ),
  DRAIN_TIMEOUT: required(
    'Timeouts',
    duration,
    25_000,
    'How long running requests may go on after SIGTERM; 0 breaks them off at once.',
  ),

  LOG_FORMAT: required('Logs', choice('text', 'json', 'logfmt'), 'text', 'How log lines are written.'),
  LOG_LEVEL: required(
    'Logs',
    choice('debug', 'info', 'warn', 'error'),
    'info',
    'The least important lines shown.',
  ),
  LOG_FILES: required('Logs', flag, false, 'Keep the lines in `$DATA_DIR/logs`, too.'),
  LOG_FILE_SIZE: required(
    'Logs',
    size(1024, 1024 ** 2 * MiB),
    10 * MiB,
    'How large a log file grows before the next is begun.',
  ),
  LOG_FILE_COUNT: required('Logs', integer(1, 100), 5, 'Full log files that are kept.'),

  IDLE_SHUTDOWN_SECONDS: optional(
    'Platform',
    durationOrOff,
    'End the process after so long without a request; 0 turns it off; on a RunPod or Vast pod with its own API key the instance is stopped, too.',
  ),
  RUNPOD_API_URL: required(
    'Platform',
    url('https', 'http'),
    'https://api.runpod.io/v2',
    "Where an idle RunPod pod asks to be stopped. One that ends in `/v1` is asked as RunPod's first API was.",
  ),
  VAST_API_URL: required(
    'Platform',
    url('https', 'http'),
    'https://console.vast.ai/api/v0',
    'Where an idle Vast instance asks to be stopped.',
  ),
  RUNPOD_WORKER: required(
    'Platform',
    choice('auto', 'off'),
    'auto',
    "Take jobs from RunPod's queue where the platform has set `RUNPOD_WEBHOOK_GET_JOB`.",
  ),
  RUNPOD_STREAM_INTERVAL: required(
    'Platform',
    duration,
    200,
    'How long the events of a stream are gathered before they are posted to RunPod together; the first go at once.',
  ),
  RUNPOD_WEBHOOK_GET_JOB: optional('Platform', url('https', 'http'), 'Set by RunPod: where jobs are taken.'),
  RUNPOD_WEBHOOK_POST_OUTPUT: optional(
    'Platform',
    url('https', 'http'),
    'Set by RunPod: where results are posted.',
  ),
  RUNPOD_WEBHOOK_POST_STREAM: optional(
    'Platform',
    url('https', 'http'),
    'Set by RunPod: where the pieces of a stream are posted.',
  ),
  RUNPOD_WEBHOOK_PING: optional('Platform', url('https', 'http'), 'Set by RunPod: where heartbeats go.'),
  RUNPOD_PING_INTERVAL: required(
    'Platform',
    integer(1, longestMs),
    10_000,
    'Set by RunPod: the time between two heartbeats, in milliseconds.',
  ),
  RUNPOD_AI_API_KEY: optional('Platform', headerText, 'Set by RunPod: what the worker shows the queue.', {
    secret: true,
  }),
  RUNPOD_POD_ID: optional('Platform', text, 'Set by RunPod: the name of this worker.'),
  RUNPOD_WORKER_GATEWAY: optional(
    'Platform',
    url('http', 'https'),
    'For `corral runpod-worker`: the gateway that jobs are handed to.',
    { computedDefault: '`http://127.0.0.1:$PORT`' },
  ),
  RUNPOD_WORKER_KEY: optional(
    'Platform',
    headerText,
    'For `corral runpod-worker`, and its gateway: the secret by which the gateway knows the worker, as the key `runpod-queue`.',
    { computedDefault: 'made afresh at each start by `corral serve`', secret: true },
  ),
  METRICS_AUTH_ENABLED: optional(
    'Metrics',
    flag,
    'Ask for a key with the scope `metrics` or `admin` at `/metrics`; `false` shows everybody everything.',
    { computedDefault: 'everybody sees all but the figures of single keys' },
  ),
  METRICS_MAX_KEYS: required(
    'Metrics',
    integer(0),
    200,
    'Keys that have figures of their own at `/metrics`, the first that are used; the rest are counted together as `other`.',
  ),
  GPU_METRICS: required(
    'Metrics',
    choice('auto', 'off'),
    'auto',
    'Watch the GPUs by nvidia-smi, where there is one.',
  ),
  NVIDIA_SMI: required(
    'Metrics',
    text,
    'nvidia-smi',
    'The nvidia-smi to run: a path, or a name on the `PATH`.',
  ),
  GPU_INTERVAL: required('Metrics', duration, 2000, 'How often the GPUs are read; 100ms at the least.'),

  ...traceVariables,
  DATA_DIR: optional('Platform', path, 'Where keys, models and records live.', {
    computedDefault:
      '`/runpod-volume`, `/workspace` or `/data`, the first that is there and can be written (or holds a key file), else `./data`',
  }),
  CORE_DUMPS: required(
    'Platform',
    flag,
    false,
    'Let a crash leave a core file, for debugging. It holds secrets and prompts.',
  ),
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof variables;

type ValueOf<V> = V extends { readonly kind: Kind<infer T>; readonly default: infer D }
  ? D extends undefined
    ? T | undefined
    : T
  : never;

/** The value of every variable; undefined where it is unset and has no fixed default. */
export type Settings = { readonly [Name in VariableName]: ValueOf<(typeof variables)[Name]> };
