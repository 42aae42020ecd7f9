import { gpuTroubleMessages } from '../../gateway/gpu/gpus.ts';
import type { Key } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import type { GpuTrouble } from '../../nvidia-smi-parser/gpu-trouble.ts';
import { formatBytes } from '../../settings/sizes.ts';
import type { Finding } from './finding.ts';

/** Sizes in bytes. */
interface MemorySizes {
  /** All model files together. */
  readonly model: number;
  /** Free on all GPUs together; undefined without a GPU. */
  readonly gpu: number | undefined;
  /** Total memory of this machine or container, not the free part. */
  readonly memory: number;
}

/** Whether the model can be loaded. Its layers are spread over GPU and main memory, and each request needs more. */
export function checkFit({ model, gpu, memory }: MemorySizes): Finding {
  const about = 'memory for the model';
  const places = gpu === undefined ? formatBytes(memory) : `${formatBytes(gpu)} free on GPUs`;
  if (model > memory + (gpu ?? 0)) {
    return {
      ...{ about, verdict: 'bad', message: `${formatBytes(model)} does not fit into ${places}` },
      fix: 'use a smaller quantization or a machine with more memory',
    };
  }
  if (gpu !== undefined && model > gpu) {
    return {
      ...{ about, verdict: 'warning', message: `${formatBytes(model)} does not fit into ${places}` },
      fix: 'the rest runs on the CPU, which is slow: use a smaller quantization or a larger GPU',
    };
  }
  return { about, verdict: 'good', message: `${formatBytes(model)} fits into ${places}` };
}

/** One reading of nvidia-smi. */
export interface GpuSnapshot {
  readonly samples: readonly GpuSample[];
  readonly trouble: GpuTrouble | undefined;
}

export function checkGpus({ samples, trouble }: GpuSnapshot): Finding[] {
  const seen = samples.map(checkGpu);
  if (trouble === undefined || (trouble === 'ended' && samples.length > 0)) return seen;
  const isMissing = trouble === 'absent' || trouble === 'no-devices';
  const message = isMissing
    ? 'no NVIDIA GPU found: llama-server runs on the CPU'
    : gpuTroubleMessages[trouble];
  return [...seen, { about: 'GPU', verdict: isMissing ? 'warning' : 'bad', message }];
}

function checkGpu(sample: GpuSample): Finding {
  const { index, name = 'a GPU', driver, memoryTotal, memoryUsed, recoveryAction, eccUncorrected } = sample;
  const about = `GPU ${index}`;
  const memory =
    memoryTotal === undefined
      ? 'memory unknown'
      : `${formatBytes(memoryTotal - (memoryUsed ?? 0))} of ${formatBytes(memoryTotal)} free`;
  const message = `${name}, driver ${driver ?? 'unknown'}, ${memory}`;
  if (recoveryAction !== undefined && recoveryAction !== 'None') {
    return { about, verdict: 'bad', message, fix: `the driver requests: ${recoveryAction}` };
  }
  if (eccUncorrected !== undefined && eccUncorrected > 0) {
    const fix = `its memory had ${eccUncorrected} uncorrectable errors: reset or replace the GPU`;
    return { about, verdict: 'warning', message, fix };
  }
  return { about, verdict: 'good', message };
}

/** Free bytes on all GPUs together; undefined if unknown. */
export function freeGpuBytes(samples: readonly GpuSample[]): number | undefined {
  const known = samples.flatMap(({ memoryTotal, memoryUsed = 0 }) =>
    memoryTotal === undefined ? [] : [memoryTotal - memoryUsed],
  );
  return known.length > 0 ? known.reduce((sum, bytes) => sum + bytes, 0) : undefined;
}

/** The state of the key store. */
export interface KeySnapshot {
  readonly isRequired: boolean;
  readonly file: string;
  readonly keys: readonly Key[];
  readonly warnings: readonly string[];
  readonly problem: string | undefined;
  readonly maxAgeMs: number | undefined;
  /** Whether there is another way to sign in. */
  readonly acceptsTokens?: boolean;
}

export function checkKeys(snapshot: KeySnapshot, now: number): Finding[] {
  const { isRequired, file, keys, warnings, problem, maxAgeMs } = snapshot;
  const about = 'keys';
  if (!isRequired) {
    return [{ about, verdict: 'warning', message: 'no API key is required (AUTH_ENABLED=false)' }];
  }
  const warningFindings = warnings.map((message): Finding => ({ about, verdict: 'warning', message }));
  if (problem !== undefined) return [{ about, verdict: 'wrong', message: problem }, ...warningFindings];
  const active = keys
    .map((key) => getKeyStatus(key, now, maxAgeMs))
    .filter(({ state }) => state === 'active');
  if (active.length === 0 && snapshot.acceptsTokens) {
    const message = `no active key in ${file}: requests need a token`;
    return [{ about, verdict: 'good', message }, ...warningFindings];
  }
  if (active.length === 0) {
    const message = `no active key in ${file}: every request will be rejected`;
    return [
      { about, verdict: 'warning', message, fix: 'create one: corral keys create NAME' },
      ...warningFindings,
    ];
  }
  const old = active.filter(({ secretIsOld }) => secretIsOld).length;
  const ending = active.filter(({ expiresSoon }) => expiresSoon).length;
  const notes = [
    ...(ending > 0 ? [`${ending} expiring within 14 days`] : []),
    ...(old > 0 ? [`${old} older than KEY_MAX_AGE_DAYS`] : []),
  ];
  const message = [`${active.length} of ${keys.length} keys are active (${file})`, ...notes].join(', ');
  return [{ about, verdict: notes.length > 0 ? 'warning' : 'good', message }, ...warningFindings];
}

/** The result of connecting to a service. */
export type ReachResult =
  | { readonly outcome: 'responded'; readonly status?: number }
  | { readonly outcome: 'failed'; readonly why: string };

/** `place` is printed, so it must not contain a secret. */
export function checkRedis(place: string, reach: ReachResult): Finding {
  const about = 'Redis';
  return reach.outcome === 'responded'
    ? { about, verdict: 'good', message: `${place} responds` }
    : {
        ...{ about, verdict: 'bad', message: `${place} does not respond (${reach.why})` },
        fix: 'check REDIS_URL and the network; until it responds, each gateway counts separately',
      };
}

export function checkCollector(place: string, reach: ReachResult): Finding {
  const about = 'traces';
  if (reach.outcome === 'failed') {
    return {
      ...{ about, verdict: 'bad', message: `${place} does not respond (${reach.why})` },
      fix: 'check OTEL_EXPORTER_OTLP_ENDPOINT and the network; requests are served, but traces are lost',
    };
  }
  const { status = 200 } = reach;
  return status < 400
    ? { about, verdict: 'good', message: `${place} accepts traces` }
    : {
        ...{ about, verdict: 'bad', message: `${place} rejects traces with ${status}` },
        fix: 'traces are sent to /v1/traces below OTEL_EXPORTER_OTLP_ENDPOINT, over HTTP, not gRPC',
      };
}

/** Keys, usage, crash files and logs need little space; a download needs the size of its model. */
const little = 1024 ** 3;

export function checkSpace(dataDir: string, freeBytes: number): Finding {
  const message = `${dataDir} is writable, ${formatBytes(freeBytes)} free`;
  return freeBytes >= little
    ? { about: 'data folder', verdict: 'good', message }
    : {
        about: 'data folder',
        verdict: 'warning',
        message,
        fix: 'free some space, or set DATA_DIR to another volume',
      };
}
