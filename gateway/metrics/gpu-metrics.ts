import type { Registry } from 'prom-client';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import { slowdowns } from '../../nvidia-smi-parser/gpu-sample.ts';
import type { Gpus } from '../gpu/gpus.ts';
import type { MetricDefinition, MetricSample } from './catalogue.ts';
import { gpu } from './catalogue.ts';
import { registerSamples, registerValue } from './register.ts';

type OfGpu = MetricSample<'gpu'>;

/** Shows what each GPU says; what one does not tell is left out. */
export function registerGpuMetrics(registry: Registry, gpus: Gpus): void {
  const show = (family: MetricDefinition<'gpu'>, of: (sample: GpuSample) => number | undefined) =>
    registerSamples(registry, family, () => gpus.samples.flatMap((sample) => figureOf(sample, of(sample))));
  show(gpu.utilization, ({ utilization }) => utilization);
  show(gpu.memoryActivity, ({ memoryActivity }) => memoryActivity);
  show(gpu.memoryUsed, ({ memoryUsed }) => memoryUsed);
  show(gpu.memorySize, ({ memoryTotal }) => memoryTotal);
  show(gpu.temperature, ({ temperature }) => temperature);
  show(gpu.memoryTemperature, ({ memoryTemperature }) => memoryTemperature);
  show(gpu.power, ({ power }) => power);
  show(gpu.powerLimit, ({ powerLimit }) => powerLimit);
  show(gpu.smClock, ({ smClock }) => smClock);
  show(gpu.memoryClock, ({ memoryClock }) => memoryClock);
  show(gpu.fan, ({ fan }) => fan);
  show(gpu.mig, ({ mig }) => (mig === undefined ? undefined : Number(mig)));
  showWords(registry, gpus);
}

function showWords(registry: Registry, gpus: Gpus): void {
  registerSamples(registry, gpu.info, () =>
    gpus.samples.map(({ index, uuid = '', name = '', driver = '' }) => [
      { gpu: String(index), uuid, name, driver },
      1,
    ]),
  );
  registerSamples(registry, gpu.slowdown, () => gpus.samples.flatMap(slowdownsOf));
  registerSamples(registry, gpu.eccErrors, () => gpus.samples.flatMap(eccErrorsOf));
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

function figureOf({ index }: GpuSample, value: number | undefined): OfGpu[] {
  return value === undefined ? [] : [[{ gpu: String(index) }, value]];
}

function slowdownsOf({ index, slowdowns: active }: GpuSample): MetricSample<'gpu' | 'reason'>[] {
  if (active === undefined) return [];
  return slowdowns.map((reason) => [{ gpu: String(index), reason }, Number(active.includes(reason))]);
}

function eccErrorsOf({ index, eccCorrected, eccUncorrected }: GpuSample): MetricSample<'gpu' | 'kind'>[] {
  const kinds = { corrected: eccCorrected, uncorrected: eccUncorrected };
  return Object.entries(kinds).flatMap(([kind, count]) =>
    count === undefined ? [] : [[{ gpu: String(index), kind }, count] as const],
  );
}
