/** Series in promtool's notation, one value per minute: `1x10` is 1 and ten times more, `0+5x10` rises by 5. */
export interface Situation {
  readonly of: string;
  readonly series: Readonly<Record<string, string>>;
  /** The time of the check. */
  readonly at: string;
}

/** Cases in which exactly one alert fires, and near misses in which none does. */
export interface AlertCase {
  readonly fires: readonly Situation[];
  readonly silent: readonly Situation[];
}

const box = 'instance="box:8000", job="corral"';
const of = (name: string, labels = '') => `${name}{${labels === '' ? box : `${labels}, ${box}`}}`;
const chat = 'route="/v1/chat/completions"';

const ok = of('corral_requests_total', `${chat}, status="200", outcome="ok"`);
const full = of('corral_requests_total', `${chat}, status="503", outcome="refused"`);
const brokenOff = of('corral_requests_total', `${chat}, status="200", outcome="broken_off"`);
const mistaken = of('corral_requests_total', `${chat}, status="400", outcome="refused"`);
const probed = of('corral_requests_total', 'route="/readyz", status="503", outcome="refused"');
const engineRestarts = of('corral_restarts_total', 'child="engine"');
const engineHung = of('corral_crashes_total', 'child="engine", class="hung"');
const modelIs = (model: string, status: string) =>
  of('corral_model_status', `model="${model}", status="${status}"`);
const loadSeconds = (model: string) => of('corral_model_loads_seconds_total', `model="${model}"`);
const canaryIsOut = of('corral_alias_target_suspended', 'alias="latest", model="b"');
const granted = of('corral_admissions_total', 'outcome="granted", priority="normal"');
const waited = (le: string) => of('corral_queue_wait_seconds_bucket', `priority="low", le="${le}"`);
const batchesWith = (status: string) => of('corral_batches', `status="${status}"`);
const linesEnded = of('corral_batch_lines_total', 'result="completed"');

export const alertCases: Readonly<Record<string, AlertCase>> = {
  CorralAway: {
    fires: [{ of: 'a scrape that fails', series: { [of('up')]: '1x2 0x10' }, at: '6m' }],
    silent: [
      { of: 'one that failed once', series: { [of('up')]: '1x2 0 1x10' }, at: '6m' },
      { of: 'a job that is not ours', series: { 'up{job="other"}': '0x10' }, at: '6m' },
    ],
  },
  CorralFailed: {
    fires: [
      {
        of: 'a deployment',
        series: { [of('corral_house_standing', 'standing="failed"')]: '0 1x5' },
        at: '2m',
      },
      {
        of: 'the backend of a gateway alone',
        series: { [of('corral_standing', 'standing="failed"')]: '0 1x5' },
        at: '2m',
      },
    ],
    silent: [
      {
        of: 'all well',
        series: {
          [of('corral_house_standing', 'standing="failed"')]: '0x5',
          [of('corral_house_standing', 'standing="ready"')]: '1x5',
        },
        at: '3m',
      },
    ],
  },
  CorralNotReady: {
    fires: [
      { of: 'a long loading', series: { [of('corral_standing', 'standing="ready"')]: '0x30' }, at: '16m' },
    ],
    silent: [
      {
        of: 'a model that takes twelve minutes to load',
        series: { [of('corral_standing', 'standing="ready"')]: '0x12 1x10' },
        at: '16m',
      },
    ],
  },
  CorralRestarting: {
    fires: [
      { of: 'two restarts within half an hour', series: { [engineRestarts]: '0x5 1x10 2x20' }, at: '30m' },
    ],
    silent: [
      { of: 'one', series: { [engineRestarts]: '0x5 1x30' }, at: '30m' },
      { of: 'two long ago', series: { [engineRestarts]: '0 2x100' }, at: '90m' },
    ],
  },
  CorralHung: {
    fires: [
      { of: 'the first hang', series: { [engineHung]: '_x5 1x20' }, at: '10m' },
      { of: 'a later one', series: { [engineHung]: '1x40 2x20' }, at: '45m' },
    ],
    silent: [
      { of: 'one of an hour ago', series: { [engineHung]: '_x5 1x90' }, at: '70m' },
      {
        of: 'a crash of another kind',
        series: { [of('corral_crashes_total', 'child="engine", class="segfault"')]: '_x5 1x20' },
        at: '10m',
      },
    ],
  },
  CorralModelFailed: {
    fires: [
      {
        of: 'one of two models',
        series: { [modelIs('a', 'failed')]: '0 1x10', [modelIs('b', 'failed')]: '0x10' },
        at: '6m',
      },
    ],
    silent: [
      { of: 'one that is loaded again at once', series: { [modelIs('a', 'failed')]: '0 1 0x10' }, at: '6m' },
      { of: 'a model that is unloaded', series: { [modelIs('a', 'unloaded')]: '1x10' }, at: '6m' },
    ],
  },
  CorralCanarySuspended: {
    fires: [{ of: 'a canary that crashed twice', series: { [canaryIsOut]: '0 0 1x5' }, at: '4m' }],
    silent: [{ of: 'a healthy canary', series: { [canaryIsOut]: '0x10' }, at: '5m' }],
  },
  CorralModelsSwapping: {
    fires: [
      {
        of: 'two models that load in turn',
        series: { [loadSeconds('a')]: '0+15x90', [loadSeconds('b')]: '0+15x90' },
        at: '60m',
      },
    ],
    silent: [{ of: 'a load now and then', series: { [loadSeconds('a')]: '0x29 60x30 120x30' }, at: '60m' }],
  },
  CorralStuck: {
    fires: [
      {
        of: 'slots that nobody gives back',
        series: {
          [of('corral_slots')]: '4x60',
          [of('corral_slots_leased')]: '4x60',
          [granted]: '100x60',
        },
        at: '50m',
      },
    ],
    silent: [
      {
        of: 'full slots that change hands',
        series: {
          [of('corral_slots')]: '4x60',
          [of('corral_slots_leased')]: '4x60',
          [granted]: '100+1x60',
        },
        at: '50m',
      },
      {
        of: 'a night without requests',
        series: { [of('corral_slots')]: '4x60', [of('corral_slots_leased')]: '0x60', [granted]: '100x60' },
        at: '50m',
      },
      {
        of: 'a backend that is away',
        series: { [of('corral_slots')]: '0x60', [of('corral_slots_leased')]: '0x60', [granted]: '9x60' },
        at: '50m',
      },
    ],
  },
  CorralErrors: {
    fires: [
      { of: 'a tenth refused', series: { [ok]: '0+90x30', [full]: '0+10x30' }, at: '20m' },
      { of: 'a tenth broken off', series: { [ok]: '0+90x30', [brokenOff]: '0+10x30' }, at: '20m' },
    ],
    silent: [
      { of: 'one in a hundred', series: { [ok]: '0+99x30', [full]: '0+1x30' }, at: '20m' },
      { of: 'mistakes of clients', series: { [ok]: '0+50x30', [mistaken]: '0+50x30' }, at: '20m' },
      { of: 'probes while it loads', series: { [ok]: '0+1x30', [probed]: '0+60x30' }, at: '20m' },
    ],
  },
  CorralWaitLong: {
    fires: [
      {
        of: 'a tenth that waits a minute',
        series: { [waited('30')]: '0+90x30', [waited('60')]: '0+100x30', [waited('+Inf')]: '0+100x30' },
        at: '20m',
      },
    ],
    silent: [
      {
        of: 'a line that moves',
        series: { [waited('10')]: '0+99x30', [waited('60')]: '0+100x30', [waited('+Inf')]: '0+100x30' },
        at: '20m',
      },
    ],
  },
  CorralLineFull: {
    fires: [
      {
        of: 'refusals for a quarter of an hour',
        series: { [of('corral_refusals_total', 'code="queue_full"')]: '0+2x30' },
        at: '20m',
      },
    ],
    silent: [
      {
        of: 'a short rush',
        series: { [of('corral_refusals_total', 'code="queue_full"')]: '0x10 5x30' },
        at: '20m',
      },
      {
        of: 'refusals for other reasons',
        series: { [of('corral_refusals_total', 'code="rate_limit_exceeded"')]: '0+2x30' },
        at: '20m',
      },
    ],
  },
  CorralGatewayLate: {
    fires: [
      { of: 'half a second', series: { [of('nodejs_eventloop_lag_p99_seconds')]: '0.5x20' }, at: '10m' },
    ],
    silent: [
      {
        of: 'a moment',
        series: { [of('nodejs_eventloop_lag_p99_seconds')]: '0.01x7 0.9 0.01x10' },
        at: '10m',
      },
      {
        of: 'a Node of somebody else',
        series: { 'nodejs_eventloop_lag_p99_seconds{job="other"}': '0.5x20' },
        at: '10m',
      },
    ],
  },
  CorralGpuHot: {
    fires: [
      { of: 'a hot card', series: { [of('corral_gpu_temperature_celsius', 'gpu="0"')]: '90x20' }, at: '10m' },
      {
        of: 'hot memory',
        series: { [of('corral_gpu_memory_temperature_celsius', 'gpu="0"')]: '99x20' },
        at: '10m',
      },
    ],
    silent: [
      {
        of: 'a card at work',
        series: {
          [of('corral_gpu_temperature_celsius', 'gpu="0"')]: '78x20',
          [of('corral_gpu_memory_temperature_celsius', 'gpu="0"')]: '88x20',
        },
        at: '10m',
      },
    ],
  },
  CorralGpuThrottled: {
    fires: [
      {
        of: 'heat',
        series: { [of('corral_gpu_slowdown', 'gpu="0", reason="hardware_thermal"')]: '1x20' },
        at: '10m',
      },
    ],
    silent: [
      {
        of: 'the power limit that somebody set, and idling',
        series: {
          [of('corral_gpu_slowdown', 'gpu="0", reason="software_power_cap"')]: '1x20',
          [of('corral_gpu_slowdown', 'gpu="0", reason="idle"')]: '1x20',
          [of('corral_gpu_slowdown', 'gpu="0", reason="hardware_thermal"')]: '0x20',
        },
        at: '10m',
      },
    ],
  },
  CorralGpuFaulty: {
    fires: [
      {
        of: 'a card off the bus',
        series: { [of('corral_gpu_trouble', 'trouble="gpu-lost"')]: '1x5' },
        at: '3m',
      },
      {
        of: 'a driver that wants a reset',
        series: { [of('corral_gpu_recovery_action', 'gpu="0", action="Reset"')]: '1x5' },
        at: '3m',
      },
      {
        of: 'memory that fails',
        series: { [of('corral_gpu_ecc_errors_total', 'gpu="0", kind="uncorrected"')]: '0x3 2x10' },
        at: '8m',
      },
    ],
    silent: [
      {
        of: 'a machine without a GPU',
        series: { [of('corral_gpu_trouble', 'trouble="absent"')]: '1x5' },
        at: '3m',
      },
      {
        of: 'errors that the memory corrected',
        series: { [of('corral_gpu_ecc_errors_total', 'gpu="0", kind="corrected"')]: '0x3 2x10' },
        at: '8m',
      },
    ],
  },
  CorralBatchesStalled: {
    fires: [
      {
        of: 'a batch without progress',
        series: { [batchesWith('in_progress')]: '1x180', [linesEnded]: '0+1x20 20x160' },
        at: '90m',
      },
    ],
    silent: [
      {
        of: 'a line every half an hour',
        series: { [batchesWith('in_progress')]: '1x180', [linesEnded]: '0x29 1x29 2x29 3x29 4x29 5x30' },
        at: '170m',
      },
      {
        of: 'batches that have ended',
        series: { [batchesWith('completed')]: '5x180', [linesEnded]: '20x180' },
        at: '170m',
      },
    ],
  },
  CorralStoreAlmostFull: {
    fires: [
      {
        of: 'a twentieth left',
        series: { [of('corral_store_bytes')]: '95x30', [of('corral_store_limit_bytes')]: '100x30' },
        at: '20m',
      },
    ],
    silent: [
      {
        of: 'a fifth left',
        series: { [of('corral_store_bytes')]: '80x30', [of('corral_store_limit_bytes')]: '100x30' },
        at: '20m',
      },
    ],
  },
  CorralRunnerDown: {
    fires: [{ of: 'a runner', series: { [of('corral_runner_up')]: '1 0x9' }, at: '8m' }],
    silent: [{ of: 'one that was restarted', series: { [of('corral_runner_up')]: '1 0 1x9' }, at: '8m' }],
  },
  CorralKeyExpiring: {
    fires: [{ of: 'two keys', series: { [of('corral_keys_expiring')]: '2x90' }, at: '70m' }],
    silent: [{ of: 'none', series: { [of('corral_keys_expiring')]: '0x90' }, at: '70m' }],
  },
  CorralKeyFileBroken: {
    fires: [{ of: 'a broken file', series: { [of('corral_key_file_broken')]: '1x9' }, at: '5m' }],
    silent: [
      {
        of: 'a file in the middle of an edit',
        series: { [of('corral_key_file_broken')]: '0 1 0x9' },
        at: '5m',
      },
    ],
  },
  CorralBudgetNearEnd: {
    fires: [
      { of: 'a key', series: { [of('corral_key_budget_used_ratio', 'key="app"')]: '0.5 0.95x5' }, at: '3m' },
    ],
    silent: [
      { of: 'half a day', series: { [of('corral_key_budget_used_ratio', 'key="app"')]: '0.5x5' }, at: '3m' },
    ],
  },
  CorralLimitsAlone: {
    fires: [
      {
        of: 'a Redis that is away',
        series: { [of('corral_limits_sharing', 'sharing="alone"')]: '1x20' },
        at: '10m',
      },
    ],
    silent: [
      {
        of: 'no Redis at all',
        series: {
          [of('corral_limits_sharing', 'sharing="alone"')]: '0x20',
          [of('corral_limits_sharing', 'sharing="off"')]: '1x20',
        },
        at: '10m',
      },
    ],
  },
  CorralLedgerDegraded: {
    fires: [{ of: 'a full disk', series: { [of('corral_ledger_degraded')]: '1x9' }, at: '5m' }],
    silent: [{ of: 'a hiccup', series: { [of('corral_ledger_degraded')]: '0 1 0x9' }, at: '5m' }],
  },
  CorralDiskFilling: {
    fires: [
      {
        of: 'next to nothing left',
        series: { [of('corral_data_free_bytes')]: '4x60', [of('corral_data_size_bytes')]: '100x60' },
        at: '30m',
      },
      {
        of: 'a fifth left, and gone within a day',
        series: { [of('corral_data_free_bytes')]: '2000-2x60', [of('corral_data_size_bytes')]: '10000x60' },
        at: '50m',
      },
    ],
    silent: [
      {
        of: 'a fifth left, which nobody takes',
        series: { [of('corral_data_free_bytes')]: '2000x60', [of('corral_data_size_bytes')]: '10000x60' },
        at: '50m',
      },
      {
        of: 'a model that is downloaded onto a large disk',
        series: { [of('corral_data_free_bytes')]: '9000-50x60', [of('corral_data_size_bytes')]: '10000x60' },
        at: '50m',
      },
    ],
  },
};
