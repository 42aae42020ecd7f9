import type { MetricDefinition, MetricSection } from './metric-definition.ts';

const family =
  (chapter: MetricSection, type: MetricDefinition['type']) =>
  <Label extends string = never>(
    name: string,
    help: string,
    labels: readonly Label[] = [],
    bounds: readonly number[] = [],
  ): MetricDefinition<Label> => ({ section: chapter, type, name, help, labels, bounds });

/** The conventions' bounds end at 82 s: a cold start, or a CPU at work, takes minutes. */
const durations = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
  655.36, 1310.72,
];
/** Here at 10 s. */
const firstTokens = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 320,
];
/** And here at 2.5 s; downwards for small models. */
const perToken = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10,
];
const tokens = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576];
const waits = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];

const ofModel = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;

/** Every metric of ours. Names, units and meanings stand here and nowhere else; docs/metrics.md is made from it. */
export const requests = {
  total: family('Requests', 'counter')(
    'corral_requests_total',
    'Requests answered, by route, by the status that the client got (499: it left) and by how they ended: ok, refused (a status from 400 on), broken_off (an answer under way that could not be finished), client_left.',
    ['route', 'status', 'outcome'],
  ),
  refusals: family('Requests', 'counter')(
    'corral_refusals_total',
    'Requests that ended in an error, by the code that the client was told.',
    ['code'],
  ),
  inFlight: family('Requests', 'gauge')(
    'corral_requests_in_flight',
    'Requests to the model under way, waiting ones included.',
  ),
  connections: family('Requests', 'gauge')('corral_connections', 'Connections of clients that are open.'),
  connectionsDisplaced: family('Requests', 'counter')(
    'corral_connections_displaced_total',
    'Idle connections that were closed to make room for others (MAX_CONNECTIONS).',
  ),
  connectionsRefused: family('Requests', 'counter')(
    'corral_connections_refused_total',
    'Connections that found no room, as all others were at work.',
  ),
  bodies: family('Requests', 'gauge')(
    'corral_request_bodies_bytes',
    'Request bodies in memory, of requests that wait or are being answered (MAX_REQUEST_BODIES_SIZE).',
  ),
  bytes: family('Requests', 'counter')(
    'corral_response_bytes_total',
    'Bytes of answers of the model passed on to clients.',
  ),
  replays: family('Requests', 'counter')(
    'corral_replays_total',
    'How often a request was sent to the backend again because it went away before it had said anything.',
  ),
  continued: family('Requests', 'counter')(
    'corral_continuations_total',
    'How often a stream that had spoken was continued after the backend went away.',
  ),
};

export const generation = {
  duration: family('Generation', 'histogram')(
    'gen_ai_server_request_duration_seconds',
    'Time from the arrival of a request to the end of its answer, waiting included.',
    [...ofModel, 'error_type'],
    durations,
  ),
  firstToken: family('Generation', 'histogram')(
    'gen_ai_server_time_to_first_token_seconds',
    'Time from the arrival of a stream request to the first event that went to its client, waiting included.',
    ofModel,
    firstTokens,
  ),
  perToken: family('Generation', 'histogram')(
    'gen_ai_server_time_per_output_token_seconds',
    'Time between two tokens of a completed stream, after the first.',
    ofModel,
    perToken,
  ),
  usage: family('Generation', 'histogram')(
    'gen_ai_client_token_usage',
    'Tokens of a request, by gen_ai_token_type: input (cached ones included) and output.',
    [...ofModel, 'gen_ai_token_type'],
    tokens,
  ),
  input: family('Generation', 'counter')(
    'corral_input_tokens_total',
    'Tokens of input, cached ones included.',
    ['model'],
  ),
  cached: family('Generation', 'counter')(
    'corral_cached_input_tokens_total',
    'The part of the input that the backend had not to read again.',
    ['model'],
  ),
  output: family('Generation', 'counter')('corral_output_tokens_total', 'Tokens of output.', ['model']),
};

export const waiting = {
  depth: family('Waiting', 'gauge')('corral_queue_depth', 'Requests that wait for a slot, by priority.', [
    'priority',
  ]),
  limit: family('Waiting', 'gauge')('corral_queue_limit', 'Requests that may wait (MAX_QUEUE_SIZE).'),
  waited: family('Waiting', 'histogram')(
    'corral_queue_wait_seconds',
    'How long requests waited for a slot, by priority; those that got one at once count as 0.',
    ['priority'],
    waits,
  ),
  admissions: family('Waiting', 'counter')(
    'corral_admissions_total',
    'What became of claims for a slot, by priority: granted, full, timed-out, draining, lost (the engine will not come back), left. A request that is sent again claims again.',
    ['outcome', 'priority'],
  ),
  slots: family('Waiting', 'gauge')(
    'corral_slots',
    'Requests that may be at the backend at once; 0 while it cannot serve.',
  ),
  leased: family('Waiting', 'gauge')('corral_slots_leased', 'Slots that requests hold right now.'),
  sharing: family('Waiting', 'gauge')(
    'corral_limits_sharing',
    'Whether rate limits hold together with other gateways: off (no Redis), together, or alone while Redis is away. 1 for the one that holds.',
    ['sharing'],
  ),
  fallbacks: family('Waiting', 'counter')(
    'corral_limits_fallbacks_total',
    'How often Redis went away and this gateway counted alone.',
  ),
};

export const keys = {
  count: family('Keys', 'gauge')('corral_keys', 'Keys in force, by state: active, disabled, expired.', [
    'state',
  ]),
  expiring: family('Keys', 'gauge')('corral_keys_expiring', 'Active keys that expire within 14 days.'),
  oldSecrets: family('Keys', 'gauge')(
    'corral_keys_with_old_secret',
    'Active keys whose secret is older than KEY_MAX_AGE_DAYS.',
  ),
  broken: family('Keys', 'gauge')(
    'corral_key_file_broken',
    '1 while the key file cannot be used and the keys read before stay in force.',
  ),
  failures: family('Keys', 'counter')(
    'corral_key_file_failures_total',
    'Readings of the key file that failed; one that is broken is read again and again.',
  ),
  loadedAt: family('Keys', 'gauge')(
    'corral_key_file_last_success_timestamp_seconds',
    'When the key file was last read with success, in seconds since 1970.',
  ),
  failedLogins: family('Keys', 'counter')(
    'corral_failed_logins_total',
    'Requests that came with a key that is unknown, expired or disabled.',
  ),
  ledgerDegraded: family('Keys', 'gauge')(
    'corral_ledger_degraded',
    '1 while the usage ledger cannot be written and is kept in memory.',
  ),
};

/** Only for those who may see single keys. */
export const perKey = {
  requests: family('Keys', 'counter')('corral_key_requests_total', 'Requests of a key.', ['key']),
  errors: family('Keys', 'counter')(
    'corral_key_errors_total',
    'Requests of a key that ended with a status of 400 or more, or in a stream that could not be finished.',
    ['key'],
  ),
  input: family('Keys', 'counter')(
    'corral_key_input_tokens_total',
    'Tokens of input of a key, cached ones included.',
    ['key'],
  ),
  cached: family('Keys', 'counter')(
    'corral_key_cached_input_tokens_total',
    'Cached tokens of input of a key.',
    ['key'],
  ),
  output: family('Keys', 'counter')('corral_key_output_tokens_total', 'Tokens of output of a key.', ['key']),
  machine: family('Keys', 'counter')(
    'corral_key_machine_seconds_total',
    'Time of the whole machine that a key had: one of four slots for a second is a quarter.',
    ['key'],
  ),
  cost: family('Keys', 'counter')(
    'corral_key_cost_total',
    'Money that the machine time of a key cost, in the currency of COST_PER_HOUR; only where that is set.',
    ['key'],
  ),
  budgetUsed: family('Keys', 'gauge')(
    'corral_key_budget_used_ratio',
    'The part of its tokens of a day (tokensPerDay) that a key has used since midnight UTC; only of keys that have such a budget.',
    ['key'],
  ),
};

export const backend = {
  standing: family('The backend', 'gauge')(
    'corral_standing',
    'What the gateway knows of the backend: starting, loading, ready, restarting, failed or draining. 1 for the one that holds.',
    ['standing'],
  ),
  context: family('The backend', 'gauge')(
    'corral_context_tokens',
    'Tokens of context that one request may use.',
  ),
  readable: family('The backend', 'gauge')(
    'corral_engine_metrics_up',
    '1 where the llamacpp metrics below are as of the last second or since the last request; 0 where the backend did not tell and they are left out.',
  ),
  costPerHour: family('The backend', 'gauge')(
    'corral_cost_per_hour',
    'What an hour of this machine costs (COST_PER_HOUR).',
  ),
};

/** Only where a supervisor owns the gateway. */
export const system = {
  standing: family('The house', 'gauge')(
    'corral_house_standing',
    'What the supervisor says of the whole: starting, loading, ready, restarting, failed or draining. 1 for the one that holds.',
    ['standing'],
  ),
  loadTime: family('The house', 'gauge')(
    'corral_model_load_seconds',
    'From the start of the process until the model was loaded for the first time.',
  ),
  restarts: family('The house', 'counter')(
    'corral_restarts_total',
    'Restarts, by child: engine or gateway.',
    ['child'],
  ),
  crashes: family('The house', 'counter')(
    'corral_crashes_total',
    'Ends that nobody wanted, by child and by class of crash.',
    ['child', 'class'],
  ),
};

/** Where the ledger, and by default the logs and the models, lie. */
export const volume = {
  free: family('The gateway itself', 'gauge')(
    'corral_data_free_bytes',
    'What is free on the volume of DATA_DIR.',
  ),
  size: family('The gateway itself', 'gauge')('corral_data_size_bytes', 'Size of the volume of DATA_DIR.'),
};

export const itself = {
  build: family('The gateway itself', 'gauge')('corral_build_info', 'Always 1; the labels say what runs.', [
    'version',
    'node',
    'engine',
  ]),
  unforeseen: family('The gateway itself', 'counter')(
    'corral_unforeseen_errors_total',
    'Errors of the gateway that no code of it had taken. Each is a fault of ours: the log says where it arose.',
  ),
  lagMedian: family('The gateway itself', 'gauge')(
    'nodejs_eventloop_lag_p50_seconds',
    'How late the event loop was, median of the last 15 s.',
  ),
  lagTail: family('The gateway itself', 'gauge')(
    'nodejs_eventloop_lag_p99_seconds',
    'How late the event loop was, 99th percentile of the last 15 s.',
  ),
  lagMax: family('The gateway itself', 'gauge')(
    'nodejs_eventloop_lag_max_seconds',
    'How late the event loop was at the worst of the last 15 s.',
  ),
  busy: family('The gateway itself', 'gauge')(
    'nodejs_eventloop_utilization_ratio',
    'The part of the last 15 s in which the event loop was at work.',
  ),
  cpu: family('The gateway itself', 'counter')(
    'process_cpu_seconds_total',
    'CPU time of the gateway, user and system, in seconds.',
  ),
  resident: family('The gateway itself', 'gauge')(
    'process_resident_memory_bytes',
    'Resident memory of the gateway.',
  ),
  heap: family('The gateway itself', 'gauge')('nodejs_heap_size_used_bytes', 'JavaScript heap in use.'),
  external: family('The gateway itself', 'gauge')(
    'nodejs_external_memory_bytes',
    'Memory outside the JavaScript heap, buffers included.',
  ),
  openFiles: family('The gateway itself', 'gauge')('process_open_fds', 'Open file descriptors.'),
  startedAt: family('The gateway itself', 'gauge')(
    'process_start_time_seconds',
    'When the gateway was started, in seconds since 1970.',
  ),
};

/** The names that the picker of the Gateway API Inference Extension looks for, as vLLM gives them. */
export const picker = {
  waiting: family('For endpoint pickers', 'gauge')(
    'vllm:num_requests_waiting',
    'Requests that wait for a slot.',
  ),
  running: family('For endpoint pickers', 'gauge')(
    'vllm:num_requests_running',
    'Slots that requests hold right now.',
  ),
  cacheInUse: family('For endpoint pickers', 'gauge')(
    'vllm:kv_cache_usage_perc',
    'The part of the context of all slots that running requests fill, 0 to 1.',
  ),
};

/** What the GPUs of this machine say; what one does not tell is left out. */
export const gpu = {
  count: family('GPU', 'gauge')('corral_gpus', 'GPUs that tell of themselves at present.'),
  trouble: family('GPU', 'gauge')(
    'corral_gpu_trouble',
    'Why figures of GPUs are missing: absent (there is no nvidia-smi), no-driver, driver-mismatch, no-devices, gpu-lost, no-permission, hung or ended. 1 for the one that holds.',
    ['trouble'],
  ),
  info: family('GPU', 'gauge')('corral_gpu_info', 'Always 1; the labels say which GPU it is.', [
    'gpu',
    'uuid',
    'name',
    'driver',
  ]),
  utilization: family('GPU', 'gauge')(
    'corral_gpu_utilization_ratio',
    'The part of the time in which the GPU was at work, 0 to 1; with MIG nobody knows.',
    ['gpu'],
  ),
  memoryActivity: family('GPU', 'gauge')(
    'corral_gpu_memory_activity_ratio',
    'The part of the time in which its memory was read or written, 0 to 1.',
    ['gpu'],
  ),
  memoryUsed: family('GPU', 'gauge')(
    'corral_gpu_memory_used_bytes',
    'Memory of the GPU in use, by whomever; with MIG of the whole card.',
    ['gpu'],
  ),
  memorySize: family('GPU', 'gauge')('corral_gpu_memory_size_bytes', 'Memory of the GPU.', ['gpu']),
  temperature: family('GPU', 'gauge')('corral_gpu_temperature_celsius', 'Temperature of the GPU.', ['gpu']),
  memoryTemperature: family('GPU', 'gauge')(
    'corral_gpu_memory_temperature_celsius',
    'Temperature of its memory.',
    ['gpu'],
  ),
  power: family('GPU', 'gauge')('corral_gpu_power_watts', 'Power that the GPU draws.', ['gpu']),
  powerLimit: family('GPU', 'gauge')('corral_gpu_power_limit_watts', 'Power that it may draw.', ['gpu']),
  energy: family('GPU', 'counter')(
    'corral_gpu_energy_joules_total',
    'Energy that the GPU drew since the gateway was started, idle or not.',
    ['gpu'],
  ),
  smClock: family('GPU', 'gauge')('corral_gpu_sm_clock_hertz', 'Clock of the multiprocessors.', ['gpu']),
  memoryClock: family('GPU', 'gauge')('corral_gpu_memory_clock_hertz', 'Clock of the memory.', ['gpu']),
  fan: family('GPU', 'gauge')(
    'corral_gpu_fan_ratio',
    'Speed of the fan, 1 is what it is made for: some turn faster.',
    ['gpu'],
  ),
  slowdown: family('GPU', 'gauge')(
    'corral_gpu_slowdown',
    '1 for each reason that holds the clocks down: idle, application_clocks, software_power_cap, hardware_slowdown, sync_boost, software_thermal, hardware_thermal, hardware_power_brake, display_clocks.',
    ['gpu', 'reason'],
  ),
  eccErrors: family('GPU', 'counter')(
    'corral_gpu_ecc_errors_total',
    'Memory errors since the driver was loaded: corrected or uncorrected.',
    ['gpu', 'kind'],
  ),
  recoveryAction: family('GPU', 'gauge')(
    'corral_gpu_recovery_action',
    '1 for what the driver asks for after a fault, such as Reset or Reboot; not shown while all is well.',
    ['gpu', 'action'],
  ),
  mig: family('GPU', 'gauge')('corral_gpu_mig', '1 where the GPU is cut into instances (MIG).', ['gpu']),
};

/** Over the last five minutes, idle time included; tokens are output, or processed: read anew and written. */
export const price = {
  energy: family('GPU', 'gauge')(
    'corral_energy_per_token_joules',
    'Energy of all GPUs in the last five minutes, idle time included, by the tokens of that time: output, or processed (input that was not cached, and output).',
    ['tokens'],
  ),
  cost: family('GPU', 'gauge')(
    'corral_cost_per_million_tokens',
    'What a million tokens cost at the rate of the last five minutes, idle time included; only where COST_PER_HOUR is set.',
    ['tokens'],
  ),
  energyOfKey: family('GPU', 'gauge')(
    'corral_key_energy_per_token_joules',
    'The same of a key: keys share all energy of that time as they shared the machine.',
    ['key', 'tokens'],
  ),
  costOfKey: family('GPU', 'gauge')(
    'corral_key_cost_per_million_tokens',
    'The same of a key: keys share all cost of that time as they shared the machine.',
    ['key', 'tokens'],
  ),
};

/** All of them, in the order in which they are shown. */
export const catalogue: readonly MetricDefinition[] = [
  requests,
  generation,
  waiting,
  keys,
  perKey,
  backend,
  system,
  gpu,
  price,
  itself,
  volume,
  picker,
].flatMap((group): readonly MetricDefinition[] => Object.values(group));
