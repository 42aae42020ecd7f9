import { type PlacedModel, place } from '../../supervisor/placement.ts';

/** A model of a simulated run. */
export interface SimulatedModel {
  readonly need: number;
  readonly pin: boolean;
  readonly ttl: number | undefined;
  readonly loadMs: number;
  readonly slots: number;
}

export interface SimulatedRequest {
  readonly at: number;
  /** The index of the model. */
  readonly model: number;
  readonly durationMs: number;
}

export interface RunOptions {
  readonly models: readonly SimulatedModel[];
  readonly requests: readonly SimulatedRequest[];
  readonly budget: number;
  readonly hold: number;
  readonly unloadMs: number;
}

export interface RunResult {
  /** How long each request waited for a lease. */
  readonly waits: readonly {
    readonly model: number;
    readonly arrivedAt: number;
    readonly waitedMs: number;
  }[];
  readonly served: number;
  /** The beginnings of switches: the first step that takes memory away for a model. */
  readonly switches: readonly { readonly at: number; readonly from: number; readonly to: number }[];
  readonly violations: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Model = Mutable<PlacedModel> &
  SimulatedModel & { readonly queue: SimulatedRequest[]; requestedFor?: string };

/** Runs requests against models whose placement `place` decides: on a clock of its own, with one event after another. */
export function runPlacement({ models: specs, requests, budget, hold, unloadMs }: RunOptions): RunResult {
  const models = specs.map((spec, index): Model => ({ ...spec, ...unused, id: String(index), queue: [] }));
  const events: { readonly at: number; readonly run: () => void }[] = [];
  const schedule = (at: number, run: () => void) => events.push({ at, run });
  const waits: Mutable<RunResult['waits'][number]>[] = [];
  const switches: Mutable<RunResult['switches'][number]>[] = [];
  const violations: string[] = [];
  let [now, served, asked] = [0, 0, Number.POSITIVE_INFINITY];
  const modelOf = (id: string) => models[Number(id)] as Model;

  const serve = (model: Model) => {
    while (model.state === 'loaded' && model.queue.length > 0 && model.leases < model.slots) {
      const request = model.queue.shift() as SimulatedRequest;
      waits.push({ model: request.model, arrivedAt: request.at, waitedMs: now - request.at });
      model.leases += 1;
      schedule(now + request.durationMs, () => {
        model.leases -= 1;
        served += 1;
        serve(model);
      });
    }
    const isUsed = model.leases > 0 || model.queue.length > 0;
    model.idleSince = isUsed ? undefined : (model.idleSince ?? now);
    model.wantedSince = model.queue[0]?.at;
    model.recentUse = model.leases;
  };
  const stop = (model: Model) => {
    model.state = 'unloading';
    schedule(now + unloadMs, () => {
      Object.assign(model, { state: 'unloaded', switchedAt: undefined, loadedAt: undefined });
    });
  };

  const perform = (): boolean => {
    const step = place({ models, budget, hold, now });
    if (step.kind === 'nothing') {
      asked = step.askAgainAt ?? Number.POSITIVE_INFINITY;
      if (asked <= now) violations.push(`asks again at ${asked}, which is not after ${now}`);
      return false;
    }
    const model = modelOf(step.model);
    if (step.kind === 'fail') throw new Error('the run has a model that can never fit');
    if (step.kind === 'resume') model.state = 'loaded';
    if (step.kind === 'drain' || step.kind === 'unload') {
      if (model.pin) violations.push(`${step.kind} of the pinned model ${model.id}`);
      if (model.state !== 'loaded')
        violations.push(`${step.kind} of model ${model.id}, which is ${model.state}`);
      if (step.kind === 'unload' && model.leases > 0) violations.push(`unload of the used model ${model.id}`);
      if (step.for !== undefined) {
        const wanted = modelOf(step.for);
        if (wanted.switchedAt === undefined)
          switches.push({ at: now, from: Number(model.id), to: Number(step.for) });
        wanted.switchedAt ??= now;
        const settled = model.switchedAt !== undefined && now < model.switchedAt + hold;
        if (settled) violations.push(`model ${model.id} was taken within the hold after the switch to it`);
      }
      if (step.kind === 'drain') model.state = 'draining';
      else stop(model);
    }
    if (step.kind === 'load') {
      model.state = 'loading';
      model.switchedAt ??= now;
      schedule(now + model.loadMs, () => {
        Object.assign(model, { state: 'loaded', loadedAt: now, idleSince: undefined });
        serve(model);
      });
    }
    return true;
  };

  for (const request of requests)
    schedule(request.at, () => {
      const model = models[request.model] as Model;
      model.queue.push(request);
      serve(model);
    });
  for (let steps = 0; ; steps++) {
    for (const model of models) {
      if (model.state === 'loaded') serve(model);
      if (model.state === 'draining' && model.leases === 0) stop(model);
    }
    for (let n = 0; perform(); n++) if (n > 100) throw new Error('the steps do not come to an end');
    const used = models.filter(({ state }) => state !== 'unloaded').reduce((sum, { need }) => sum + need, 0);
    if (used > budget) violations.push(`${used} of ${budget} bytes are used`);
    events.sort((a, b) => a.at - b.at);
    const next = Math.min(events[0]?.at ?? Number.POSITIVE_INFINITY, asked);
    const isOver = events.length === 0 && models.every(({ queue }) => queue.length === 0);
    if (isOver || next === Number.POSITIVE_INFINITY || steps > 100_000) break;
    now = next;
    while (events[0] !== undefined && events[0].at <= now) events.shift()?.run();
  }
  for (const { id, queue } of models)
    if (queue.length > 0) violations.push(`${queue.length} requests for model ${id} wait for ever`);
  return { waits, served, switches, violations };
}

const unused = {
  state: 'unloaded',
  leases: 0,
  wantedSince: undefined,
  switchedAt: undefined,
  loadedAt: undefined,
  idleSince: undefined,
  recentUse: 0,
} as const;
