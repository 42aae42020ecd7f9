export const metricSections = [
  'Requests',
  'Generation',
  'Queue and limits',
  'Keys',
  'Backend',
  'Deployment',
  'Models',
  'Files and batches',
  'Stored responses',
  'GPU',
  'Gateway process',
  'Endpoint pickers',
] as const;
export type MetricSection = (typeof metricSections)[number];

/** One metric with all its series, as `/metrics` shows it and docs/metrics.md describes it. */
export interface MetricDefinition<Label extends string = string> {
  readonly section: MetricSection;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly bounds: readonly number[];
}

/** The labels of one series and its value. */
export type MetricSample<Label extends string> = readonly [Readonly<Record<Label, string>>, number];

const define =
  (section: MetricSection, type: MetricDefinition['type']) =>
  <Label extends string = never>(
    name: string,
    help: string,
    labels: readonly Label[] = [],
    bounds: readonly number[] = [],
  ): MetricDefinition<Label> => ({ section, type, name, help, labels, bounds });

/** OpenTelemetry's bounds end at 82 s, but a cold start or generation on a CPU takes minutes. */
const durations = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
  655.36, 1310.72,
];
/** OpenTelemetry's bounds end at 10 s. */
const firstTokens = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 320,
];
/** OpenTelemetry's bounds end at 2.5 s; the smallest bounds are for small models. */
const perToken = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10,
];
const tokens = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576];
const waits = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];

const ofModel = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;

/** Every metric of the gateway, with its name, unit and meaning; docs/metrics.md is generated from it. */
export const requests = {
  total: define('Requests', 'counter')(
    'corral_requests_total',
    'Finished requests, by route, HTTP status (499: the client disconnected) and outcome: ok, refused (status 400 or above), broken_off (the response had started and could not be completed), client_left (the client disconnected).',
    ['route', 'status', 'outcome'],
  ),
  errors: define('Requests', 'counter')(
    'corral_refusals_total',
    'Requests that ended with an error, by the error code sent to the client.',
    ['code'],
  ),
  inFlight: define('Requests', 'gauge')(
    'corral_requests_in_flight',
    'Requests to the model in progress, including queued ones.',
  ),
  connections: define('Requests', 'gauge')('corral_connections', 'Open client connections.'),
  connectionsEvicted: define('Requests', 'counter')(
    'corral_connections_displaced_total',
    'Idle connections closed to make room for new ones (MAX_CONNECTIONS).',
  ),
  connectionsRejected: define('Requests', 'counter')(
    'corral_connections_refused_total',
    'Connections rejected because MAX_CONNECTIONS was reached and no connection was idle.',
  ),
  bodies: define('Requests', 'gauge')(
    'corral_request_bodies_bytes',
    'Bytes of request bodies held in memory for queued and running requests (MAX_REQUEST_BODIES_SIZE).',
  ),
  bytes: define('Requests', 'counter')(
    'corral_response_bytes_total',
    'Bytes of model responses sent to clients.',
  ),
  replays: define('Requests', 'counter')(
    'corral_replays_total',
    'Requests sent to the backend again because it failed before it had sent any part of a response.',
  ),
  resumed: define('Requests', 'counter')(
    'corral_continuations_total',
    'Streams that were continued after the backend failed in the middle of the response.',
  ),
};

/** Only with RESPONSE_CACHE. */
export const responseCache = {
  requests: define('Requests', 'counter')(
    'corral_response_cache_requests_total',
    'Requests to the model, by result: hit (answered from the response cache), miss, bypass (not to be cached). Only with RESPONSE_CACHE.',
    ['result'],
  ),
  entries: define('Requests', 'gauge')(
    'corral_response_cache_entries',
    'Responses in the response cache. Only with RESPONSE_CACHE=memory.',
  ),
  bytes: define('Requests', 'gauge')(
    'corral_response_cache_bytes',
    'Memory of the response cache (RESPONSE_CACHE_SIZE). Only with RESPONSE_CACHE=memory.',
  ),
};

/** Requests that are lines of batches. */
export const batches = {
  preemptions: define('Requests', 'counter')(
    'corral_batch_preemptions_total',
    'How often a line of a batch gave its slots to a waiting request; it is continued later.',
  ),
  slots: define('Queue and limits', 'gauge')(
    'corral_batch_slots',
    'Slots that batches may use while no other request needs them (BATCH_SLOTS).',
  ),
  leased: define('Queue and limits', 'gauge')(
    'corral_batch_slots_leased',
    'Slots in use by lines of batches; corral_slots_leased includes them.',
  ),
  discarded: define('Requests', 'counter')(
    'corral_batch_discarded_tokens_total',
    'Output tokens of lines that gave way and had to be started again.',
  ),
};

/** Only with `STORE=on`. */
export const store = {
  batches: define('Files and batches', 'gauge')(
    'corral_batches',
    'Batches in the store, by status. Ended ones stay for STORE_RETENTION_DAYS. Only with STORE=on, as all of this section.',
    ['status'],
  ),
  paused: define('Files and batches', 'gauge')(
    'corral_batches_paused',
    'Batches that make no progress at the moment. GET /v1/batches and the dashboard show the reason.',
  ),
  lines: define('Files and batches', 'counter')(
    'corral_batch_lines_total',
    'Lines of batches that have ended, by result: completed, failed, expired or cancelled.',
    ['result'],
  ),
  tokens: define('Files and batches', 'counter')(
    'corral_batch_tokens_total',
    'Tokens of the lines that have ended, by tokens: input or output.',
    ['tokens'],
  ),
  bytes: define('Files and batches', 'gauge')(
    'corral_store_bytes',
    'Size of everything in the store: files, results of batches that run, responses and conversations.',
  ),
  limit: define('Files and batches', 'gauge')(
    'corral_store_limit_bytes',
    'Largest size of everything in the store (STORE_MAX_SIZE).',
  ),
  runnerUp: define('Files and batches', 'gauge')(
    'corral_runner_up',
    '1 while the process that runs batches and background responses is up; 0 while it is restarted or given up.',
  ),
  responses: define('Stored responses', 'gauge')(
    'corral_stored_responses',
    'Responses in the store. They stay for STORE_RETENTION_DAYS. Only with STORE=on, as all of this section.',
  ),
  background: define('Stored responses', 'gauge')(
    'corral_background_responses',
    'Those of them that were created in the background, by status: queued, in_progress, completed, incomplete, failed or cancelled.',
    ['status'],
  ),
  conversations: define('Stored responses', 'gauge')(
    'corral_stored_conversations',
    'Conversations in the store.',
  ),
};

export const generation = {
  duration: define('Generation', 'histogram')(
    'gen_ai_server_request_duration_seconds',
    'Time from the arrival of a request to the end of its response, including time in the queue.',
    [...ofModel, 'error_type'],
    durations,
  ),
  firstToken: define('Generation', 'histogram')(
    'gen_ai_server_time_to_first_token_seconds',
    'Time from the arrival of a streaming request to the first event sent to the client, including time in the queue.',
    ofModel,
    firstTokens,
  ),
  perToken: define('Generation', 'histogram')(
    'gen_ai_server_time_per_output_token_seconds',
    'Average time per output token of a completed stream, without the first token.',
    ofModel,
    perToken,
  ),
  usage: define('Generation', 'histogram')(
    'gen_ai_client_token_usage',
    'Tokens per request, by gen_ai_token_type: input (including cached tokens) or output.',
    [...ofModel, 'gen_ai_token_type'],
    tokens,
  ),
  input: define('Generation', 'counter')(
    'corral_input_tokens_total',
    'Input tokens, including cached ones.',
    ['model'],
  ),
  cached: define('Generation', 'counter')(
    'corral_cached_input_tokens_total',
    'Input tokens that were found in the prompt cache and not processed again.',
    ['model'],
  ),
  drafted: define('Generation', 'counter')(
    'corral_speculation_draft_tokens_total',
    'Tokens that speculative decoding has guessed.',
    ['model'],
  ),
  accepted: define('Generation', 'counter')(
    'corral_speculation_accepted_tokens_total',
    'Guessed tokens that the model has accepted.',
    ['model'],
  ),
  output: define('Generation', 'counter')('corral_output_tokens_total', 'Output tokens.', ['model']),
};

export const queue = {
  depth: define('Queue and limits', 'gauge')(
    'corral_queue_depth',
    'Requests waiting for a slot, by priority.',
    ['priority'],
  ),
  limit: define('Queue and limits', 'gauge')(
    'corral_queue_limit',
    'Maximum number of queued requests (MAX_QUEUE_SIZE).',
  ),
  wait: define('Queue and limits', 'histogram')(
    'corral_queue_wait_seconds',
    'Time that requests waited for a slot, by priority; requests that got a slot at once count as 0.',
    ['priority'],
    waits,
  ),
  admissions: define('Queue and limits', 'counter')(
    'corral_admissions_total',
    'Requests for a slot, by priority and outcome: granted, full (the queue is full), timed-out, draining, lost (the engine will not come back) or left (the client disconnected). A request that is sent again is counted again.',
    ['outcome', 'priority'],
  ),
  slots: define('Queue and limits', 'gauge')(
    'corral_slots',
    'Maximum number of concurrent requests at the backend; 0 while it is unavailable.',
  ),
  leased: define('Queue and limits', 'gauge')('corral_slots_leased', 'Slots in use.'),
  limitsSharing: define('Queue and limits', 'gauge')(
    'corral_limits_sharing',
    'How rate limits are counted: off (this gateway only, no Redis configured), together (shared through Redis) or alone (Redis is unreachable). 1 for the current mode, 0 for the others.',
    ['sharing'],
  ),
  limitsFallbacks: define('Queue and limits', 'counter')(
    'corral_limits_fallbacks_total',
    'How often Redis became unreachable and this gateway went on counting rate limits alone.',
  ),
};

export const keys = {
  count: define('Keys', 'gauge')('corral_keys', 'API keys, by state: active, disabled or expired.', [
    'state',
  ]),
  expiring: define('Keys', 'gauge')('corral_keys_expiring', 'Active keys that expire within 14 days.'),
  oldSecrets: define('Keys', 'gauge')(
    'corral_keys_with_old_secret',
    'Active keys whose secret is older than KEY_MAX_AGE_DAYS.',
  ),
  broken: define('Keys', 'gauge')(
    'corral_key_file_broken',
    '1 while the key file is invalid or unreadable and the previous keys remain in effect.',
  ),
  failures: define('Keys', 'counter')(
    'corral_key_file_failures_total',
    'Failed attempts to read the key file; while it is invalid, it is read again at intervals.',
  ),
  loadedAt: define('Keys', 'gauge')(
    'corral_key_file_last_success_timestamp_seconds',
    'Unix time of the last successful read of the key file, in seconds.',
  ),
  failedLogins: define('Keys', 'counter')(
    'corral_failed_logins_total',
    'Requests with an unknown, expired or disabled key.',
  ),
  ledgerDegraded: define('Keys', 'gauge')(
    'corral_ledger_degraded',
    '1 while the usage ledger cannot be written and usage is kept in memory.',
  ),
};

/** Shown only with OIDC_ISSUER. */
export const oidc = {
  tokens: define('Keys', 'counter')(
    'corral_oidc_tokens_total',
    'Tokens that were verified, by outcome: accepted, no_rule, unavailable (no keys of the issuer), or what is wrong with them. Known tokens are not counted again.',
    ['outcome'],
  ),
  refreshes: define('Keys', 'counter')(
    'corral_oidc_refreshes_total',
    'Readings of the keys of the issuer, by result: ok or failed.',
    ['result'],
  ),
  readAt: define('Keys', 'gauge')(
    'corral_oidc_keys_last_success_timestamp_seconds',
    'Unix time at which the keys of the issuer were last read, in seconds.',
  ),
  rulesBroken: define('Keys', 'gauge')(
    'corral_oidc_claims_file_broken',
    '1 while OIDC_CLAIMS_FILE is invalid or unreadable and the previous rules remain in effect.',
  ),
};

/** Shown only to clients that may see per-key metrics. */
export const perKey = {
  requests: define('Keys', 'counter')('corral_key_requests_total', 'Requests, by key.', ['key']),
  errors: define('Keys', 'counter')(
    'corral_key_errors_total',
    'Requests with status 400 or above, or with a stream that could not be completed, by key.',
    ['key'],
  ),
  input: define('Keys', 'counter')(
    'corral_key_input_tokens_total',
    'Input tokens including cached ones, by key.',
    ['key'],
  ),
  cached: define('Keys', 'counter')('corral_key_cached_input_tokens_total', 'Cached input tokens, by key.', [
    'key',
  ]),
  output: define('Keys', 'counter')('corral_key_output_tokens_total', 'Output tokens, by key.', ['key']),
  machine: define('Keys', 'counter')(
    'corral_key_machine_seconds_total',
    'Machine time, by key: one of four slots for one second counts as 0.25 seconds.',
    ['key'],
  ),
  cost: define('Keys', 'counter')(
    'corral_key_cost_total',
    'Cost of the machine time, by key, in the currency of COST_PER_HOUR; only if that is set.',
    ['key'],
  ),
  budgetUsed: define('Keys', 'gauge')(
    'corral_key_budget_used_ratio',
    'Fraction of the daily token budget (tokensPerDay) used since midnight UTC, by key; only for keys with such a budget.',
    ['key'],
  ),
};

export const backend = {
  status: define('Backend', 'gauge')(
    'corral_standing',
    'Status of the backend as seen by the gateway: starting, loading, ready, restarting, failed or draining. 1 for the current status, 0 for the others.',
    ['standing'],
  ),
  context: define('Backend', 'gauge')(
    'corral_context_tokens',
    'Context size available to one request, in tokens.',
  ),
  engineMetricsUp: define('Backend', 'gauge')(
    'corral_engine_metrics_up',
    '1 if the llamacpp metrics below are up to date; 0 if the backend did not provide them and they are omitted.',
  ),
  costPerHour: define('Backend', 'gauge')(
    'corral_cost_per_hour',
    'Cost of this machine per hour (COST_PER_HOUR).',
  ),
};

/** Only if the gateway runs under the supervisor. */
export const system = {
  status: define('Deployment', 'gauge')(
    'corral_house_standing',
    'Status of the deployment as reported by the supervisor: starting, loading, ready, restarting, failed or draining. 1 for the current status, 0 for the others.',
    ['standing'],
  ),
  loadTime: define('Deployment', 'gauge')(
    'corral_model_load_seconds',
    'Time from the start of the process until the model was first loaded.',
  ),
  restarts: define('Deployment', 'counter')(
    'corral_restarts_total',
    'Restarts of a child process: engine or gateway.',
    ['child'],
  ),
  crashes: define('Deployment', 'counter')(
    'corral_crashes_total',
    'Crashes, by child process and crash class.',
    ['child', 'class'],
  ),
};

/** Only with several models (models.json), under the supervisor. */
export const models = {
  status: define('Models', 'gauge')(
    'corral_model_status',
    'Status of a model: unloaded, loading, loaded, sleeping or failed. 1 for the current status, 0 for the others.',
    ['model', 'status'],
  ),
  waiting: define('Models', 'gauge')('corral_model_queue_depth', 'Requests waiting for a model.', ['model']),
  slots: define('Models', 'gauge')(
    'corral_model_slots',
    'Maximum number of concurrent requests at the engines of a model; 0 while it is not loaded.',
    ['model'],
  ),
  leased: define('Models', 'gauge')('corral_model_slots_leased', 'Slots of a model in use.', ['model']),
  aliasShare: define('Models', 'gauge')(
    'corral_alias_share_ratio',
    'Share of new conversations that an alias sends to a model, 0 to 1; 0 for a canary that was taken out.',
    ['alias', 'model'],
  ),
  suspended: define('Models', 'gauge')(
    'corral_alias_target_suspended',
    '1 if a canary gets no more requests because it failed or crashed twice.',
    ['alias', 'model'],
  ),
  memory: define('Models', 'gauge')(
    'corral_model_memory_bytes',
    'Memory that a model takes, or would take if it were loaded.',
    ['model'],
  ),
  memoryBudget: define('Models', 'gauge')(
    'corral_memory_budget_bytes',
    'Memory for all models together (MEMORY_BUDGET).',
  ),
  loads: define('Models', 'counter')(
    'corral_model_loads_total',
    'Completed loads of a model; restarts after crashes are not counted.',
    ['model'],
  ),
  loadTime: define('Models', 'counter')(
    'corral_model_loads_seconds_total',
    'Time that the completed loads of a model took together.',
    ['model'],
  ),
  unloads: define('Models', 'counter')('corral_model_unloads_total', 'How often a model was unloaded.', [
    'model',
  ]),
  restarts: define('Models', 'counter')(
    'corral_model_restarts_total',
    'Restarts of the engines of a model after crashes.',
    ['model'],
  ),
  machine: define('Models', 'counter')(
    'corral_model_machine_seconds_total',
    'Time at the engine as a share of the whole machine, by model that answered. The models that are loaded share the machine equally.',
    ['model'],
  ),
  cost: define('Models', 'counter')(
    'corral_model_cost_total',
    'Cost of the machine time, by model that answered, in the currency of COST_PER_HOUR; only if that is set.',
    ['model'],
  ),
  crashes: define('Models', 'counter')(
    'corral_model_crashes_total',
    'Crashes of the engines of a model, by crash class.',
    ['model', 'class'],
  ),
};

/** The volume of the ledger and, by default, of the logs and models. */
export const volume = {
  free: define('Gateway process', 'gauge')('corral_data_free_bytes', 'Free bytes on the volume of DATA_DIR.'),
  size: define('Gateway process', 'gauge')(
    'corral_data_size_bytes',
    'Size of the volume of DATA_DIR in bytes.',
  ),
};

export const gatewayProcess = {
  build: define('Gateway process', 'gauge')(
    'corral_build_info',
    'Always 1; the labels give the versions in use.',
    ['version', 'node', 'engine'],
  ),
  unexpectedErrors: define('Gateway process', 'counter')(
    'corral_unforeseen_errors_total',
    'Unexpected errors in the gateway. Each one is a bug; the log has its stack trace.',
  ),
  lagMedian: define('Gateway process', 'gauge')(
    'nodejs_eventloop_lag_p50_seconds',
    'Event loop lag, median over the last 15 seconds.',
  ),
  lagTail: define('Gateway process', 'gauge')(
    'nodejs_eventloop_lag_p99_seconds',
    'Event loop lag, 99th percentile over the last 15 seconds.',
  ),
  lagMax: define('Gateway process', 'gauge')(
    'nodejs_eventloop_lag_max_seconds',
    'Event loop lag, maximum over the last 15 seconds.',
  ),
  busy: define('Gateway process', 'gauge')(
    'nodejs_eventloop_utilization_ratio',
    'Fraction of the last 15 seconds in which the event loop was busy.',
  ),
  cpu: define('Gateway process', 'counter')(
    'process_cpu_seconds_total',
    'User and system CPU time of the gateway in seconds.',
  ),
  resident: define('Gateway process', 'gauge')(
    'process_resident_memory_bytes',
    'Resident memory of the gateway in bytes.',
  ),
  heap: define('Gateway process', 'gauge')(
    'nodejs_heap_size_used_bytes',
    'JavaScript heap in use, in bytes.',
  ),
  external: define('Gateway process', 'gauge')(
    'nodejs_external_memory_bytes',
    'Memory outside the JavaScript heap, including buffers, in bytes.',
  ),
  openFiles: define('Gateway process', 'gauge')('process_open_fds', 'Open file descriptors.'),
  startedAt: define('Gateway process', 'gauge')(
    'process_start_time_seconds',
    'Unix time at which the gateway started, in seconds.',
  ),
};

/** vLLM's metric names, which the endpoint picker of the Gateway API Inference Extension reads. */
export const endpointPicker = {
  waiting: define('Endpoint pickers', 'gauge')('vllm:num_requests_waiting', 'Requests waiting for a slot.'),
  running: define('Endpoint pickers', 'gauge')('vllm:num_requests_running', 'Slots in use.'),
  cacheInUse: define('Endpoint pickers', 'gauge')(
    'vllm:kv_cache_usage_perc',
    'Fraction of the context of all slots in use by running requests, 0 to 1.',
  ),
};

/** Values that a GPU does not report are omitted. */
export const gpu = {
  count: define('GPU', 'gauge')('corral_gpus', 'GPUs that currently report metrics.'),
  trouble: define('GPU', 'gauge')(
    'corral_gpu_trouble',
    'Why GPU metrics are missing: absent (nvidia-smi was not found), no-driver, driver-mismatch, no-devices, gpu-lost, no-permission, hung or ended. 1 for the current reason; no series while all GPUs report.',
    ['trouble'],
  ),
  info: define('GPU', 'gauge')('corral_gpu_info', 'Always 1; the labels identify the GPU.', [
    'gpu',
    'uuid',
    'name',
    'driver',
  ]),
  utilization: define('GPU', 'gauge')(
    'corral_gpu_utilization_ratio',
    'Fraction of time in which the GPU was busy, 0 to 1; not available with MIG.',
    ['gpu'],
  ),
  memoryActivity: define('GPU', 'gauge')(
    'corral_gpu_memory_activity_ratio',
    'Fraction of time in which GPU memory was read or written, 0 to 1.',
    ['gpu'],
  ),
  memoryUsed: define('GPU', 'gauge')(
    'corral_gpu_memory_used_bytes',
    'GPU memory in use by all processes; with MIG, of the whole card.',
    ['gpu'],
  ),
  memorySize: define('GPU', 'gauge')('corral_gpu_memory_size_bytes', 'Total GPU memory.', ['gpu']),
  temperature: define('GPU', 'gauge')('corral_gpu_temperature_celsius', 'GPU temperature.', ['gpu']),
  memoryTemperature: define('GPU', 'gauge')(
    'corral_gpu_memory_temperature_celsius',
    'GPU memory temperature.',
    ['gpu'],
  ),
  power: define('GPU', 'gauge')('corral_gpu_power_watts', 'Power draw of the GPU.', ['gpu']),
  powerLimit: define('GPU', 'gauge')('corral_gpu_power_limit_watts', 'Power limit of the GPU.', ['gpu']),
  energy: define('GPU', 'counter')(
    'corral_gpu_energy_joules_total',
    'Energy used by the GPU since the gateway started, including idle time.',
    ['gpu'],
  ),
  smClock: define('GPU', 'gauge')(
    'corral_gpu_sm_clock_hertz',
    'Clock frequency of the streaming multiprocessors.',
    ['gpu'],
  ),
  memoryClock: define('GPU', 'gauge')('corral_gpu_memory_clock_hertz', 'Clock frequency of the GPU memory.', [
    'gpu',
  ]),
  fan: define('GPU', 'gauge')(
    'corral_gpu_fan_ratio',
    'Fan speed relative to its nominal maximum; some fans exceed 1.',
    ['gpu'],
  ),
  slowdown: define('GPU', 'gauge')(
    'corral_gpu_slowdown',
    '1 for each reason that limits the clock frequencies: idle, application_clocks, software_power_cap, hardware_slowdown, sync_boost, software_thermal, hardware_thermal, hardware_power_brake, display_clocks.',
    ['gpu', 'reason'],
  ),
  eccErrors: define('GPU', 'counter')(
    'corral_gpu_ecc_errors_total',
    'ECC memory errors since the driver was loaded, by kind: corrected or uncorrected.',
    ['gpu', 'kind'],
  ),
  recoveryAction: define('GPU', 'gauge')(
    'corral_gpu_recovery_action',
    '1 for the action that the driver requires after a fault, such as Reset or Reboot; no series while none is required.',
    ['gpu', 'action'],
  ),
  mig: define('GPU', 'gauge')('corral_gpu_mig', '1 if the GPU is partitioned into instances (MIG).', ['gpu']),
};

/** Over the last five minutes, including idle time. */
export const tokenCost = {
  energy: define('GPU', 'gauge')(
    'corral_energy_per_token_joules',
    'Energy of all GPUs per token over the last five minutes, including idle time. tokens: output, or processed (output and uncached input).',
    ['tokens'],
  ),
  cost: define('GPU', 'gauge')(
    'corral_cost_per_million_tokens',
    'Cost of a million tokens over the last five minutes, including idle time. tokens: output, or processed (output and uncached input). Only if COST_PER_HOUR is set.',
    ['tokens'],
  ),
  modelEnergy: define('GPU', 'gauge')(
    'corral_model_energy_per_token_joules',
    'Energy per token, by model that answered; with several models. All energy of the last five minutes is divided among the models in proportion to their machine time.',
    ['model', 'tokens'],
  ),
  modelCost: define('GPU', 'gauge')(
    'corral_model_cost_per_million_tokens',
    'Cost of a million tokens, by model that answered; with several models. All cost of the last five minutes is divided among the models in proportion to their machine time.',
    ['model', 'tokens'],
  ),
  keyEnergy: define('GPU', 'gauge')(
    'corral_key_energy_per_token_joules',
    'Energy per token, by key. All energy of the last five minutes is divided among the keys in proportion to their machine time.',
    ['key', 'tokens'],
  ),
  keyCost: define('GPU', 'gauge')(
    'corral_key_cost_per_million_tokens',
    'Cost of a million tokens, by key. All cost of the last five minutes is divided among the keys in proportion to their machine time.',
    ['key', 'tokens'],
  ),
};

/** All metrics, in the order of docs/metrics.md. */
export const catalogue: readonly MetricDefinition[] = [
  requests,
  responseCache,
  batches,
  generation,
  queue,
  keys,
  oidc,
  perKey,
  backend,
  system,
  models,
  store,
  gpu,
  tokenCost,
  gatewayProcess,
  volume,
  endpointPicker,
].flatMap((group): readonly MetricDefinition[] => Object.values(group));
