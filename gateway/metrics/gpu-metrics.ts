import type { Registry } from 'prom-client';
import { type GpuSample, slowdowns } from '../../nvidia-smi-parser/gpu-sample.ts';
import type { GpuTrouble } from '../../nvidia-smi-parser/gpu-trouble.ts';
import { gpu, type MetricDefinition, type MetricSample, tokenCost } from './catalogue.ts';
import { registerSamples, registerValue } from './register.ts';

export interface GpuSource {
  /** The latest of each GPU, by index. */
  readonly samples: readonly GpuSample[];
  readonly energy: {
    /** By GPU index. */
    readonly joules: ReadonlyMap<number, number>;
  };
  /** Why samples are missing. */
  readonly trouble: GpuTrouble | undefined;
}

/** Values that a GPU does not report are omitted. */
export function registerGpuMetrics(registry: Registry, gpus: GpuSource): void {
  const register = (metric: MetricDefinition<'gpu'>, pick: (sample: GpuSample) => number | undefined) =>
    registerSamples(registry, metric, () =>
      gpus.samples.flatMap((sample) => toSamples(sample, pick(sample))),
    );
  register(gpu.utilization, ({ utilization }) => utilization);
  register(gpu.memoryActivity, ({ memoryActivity }) => memoryActivity);
  register(gpu.memoryUsed, ({ memoryUsed }) => memoryUsed);
  register(gpu.memorySize, ({ memoryTotal }) => memoryTotal);
  register(gpu.temperature, ({ temperature }) => temperature);
  register(gpu.memoryTemperature, ({ memoryTemperature }) => memoryTemperature);
  register(gpu.power, ({ power }) => power);
  register(gpu.powerLimit, ({ powerLimit }) => powerLimit);
  register(gpu.smClock, ({ smClock }) => smClock);
  register(gpu.memoryClock, ({ memoryClock }) => memoryClock);
  register(gpu.fan, ({ fan }) => fan);
  register(gpu.mig, ({ mig }) => (mig === undefined ? undefined : Number(mig)));
  registerGpuStates(registry, gpus);
}

function registerGpuStates(registry: Registry, gpus: GpuSource): void {
  registerSamples(registry, gpu.info, () =>
    gpus.samples.map(({ index, uuid = '', name = '', driver = '' }) => [
      { gpu: String(index), uuid, name, driver },
      1,
    ]),
  );
  registerSamples(registry, gpu.slowdown, () => gpus.samples.flatMap(slowdownSamples));
  registerSamples(registry, gpu.eccErrors, () => gpus.samples.flatMap(eccErrorSamples));
  registerSamples(registry, gpu.recoveryAction, () =>
    gpus.samples.flatMap(({ index, recoveryAction: action }) =>
      action === undefined || action === 'None' ? [] : [[{ gpu: String(index), action }, 1] as const],
    ),
  );
  registerSamples(registry, gpu.energy, () =>
    [...gpus.energy.joules].map(([index, joules]) => [{ gpu: String(index) }, joules]),
  );
  registerValue(registry, gpu.count, () => gpus.samples.length);
  registerSamples(registry, gpu.trouble, () =>
    gpus.trouble === undefined ? [] : [[{ trouble: gpus.trouble }, 1]],
  );
}

function toSamples({ index }: GpuSample, value: number | undefined): MetricSample<'gpu'>[] {
  return value === undefined ? [] : [[{ gpu: String(index) }, value]];
}

function slowdownSamples({ index, slowdowns: active }: GpuSample): MetricSample<'gpu' | 'reason'>[] {
  if (active === undefined) return [];
  return slowdowns.map((reason) => [{ gpu: String(index), reason }, Number(active.includes(reason))]);
}

function eccErrorSamples({ index, eccCorrected, eccUncorrected }: GpuSample): MetricSample<'gpu' | 'kind'>[] {
  const kinds = { corrected: eccCorrected, uncorrected: eccUncorrected };
  return Object.entries(kinds).flatMap(([kind, count]) =>
    count === undefined ? [] : [[{ gpu: String(index), kind }, count] as const],
  );
}

/** What a token costs in energy and money; undefined where it is unknown. */
interface TokenCost {
  readonly joulesPerOutputToken: number | undefined;
  readonly joulesPerToken: number | undefined;
  readonly costPerMillionOutputTokens: number | undefined;
  readonly costPerMillionTokens: number | undefined;
}

export interface TokenCostSource {
  readonly overall: TokenCost;
  readonly byKey: ReadonlyMap<string, TokenCost>;
  /** Empty with one model. */
  readonly byModel: ReadonlyMap<string, TokenCost>;
}

/** The costs by key go to `keyRegistry`, as not every client may see them. */
export function registerTokenCostMetrics(
  registry: Registry,
  keyRegistry: Registry,
  costs: TokenCostSource,
): void {
  registerSamples(registry, tokenCost.energy, () => energySamples(costs.overall));
  registerSamples(registry, tokenCost.cost, () => costSamples(costs.overall));
  registerSamples(registry, tokenCost.modelEnergy, () => samplesBy('model', costs.byModel, energySamples));
  registerSamples(registry, tokenCost.modelCost, () => samplesBy('model', costs.byModel, costSamples));
  registerSamples(keyRegistry, tokenCost.keyEnergy, () => samplesBy('key', costs.byKey, energySamples));
  registerSamples(keyRegistry, tokenCost.keyCost, () => samplesBy('key', costs.byKey, costSamples));
}

function energySamples({ joulesPerOutputToken, joulesPerToken }: TokenCost): MetricSample<'tokens'>[] {
  return knownSamples({ output: joulesPerOutputToken, processed: joulesPerToken });
}

function costSamples(cost: TokenCost): MetricSample<'tokens'>[] {
  return knownSamples({ output: cost.costPerMillionOutputTokens, processed: cost.costPerMillionTokens });
}

function knownSamples(values: Readonly<Record<string, number | undefined>>): MetricSample<'tokens'>[] {
  return Object.entries(values).flatMap(([tokens, value]) =>
    value === undefined ? [] : [[{ tokens }, value] as const],
  );
}

function samplesBy<Label extends 'key' | 'model'>(
  label: Label,
  costs: ReadonlyMap<string, TokenCost>,
  toCostSamples: (cost: TokenCost) => MetricSample<'tokens'>[],
): MetricSample<Label | 'tokens'>[] {
  return [...costs].flatMap(([name, cost]) =>
    toCostSamples(cost).map(
      ([labels, value]) => [{ [label]: name, ...labels } as Record<Label | 'tokens', string>, value] as const,
    ),
  );
}
