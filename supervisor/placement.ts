/**
 * Decides which models are in memory. A pure function: the supervisor calls it after each change, performs the step that it
 * returns, and calls it again, until there is nothing to do.
 */

/** A model as placement sees it. Times are milliseconds of one clock. */
export interface PlacedModel {
  readonly id: string;
  /** `draining`: it is sent nothing new and will be unloaded; `unloading`: its processes are being stopped. */
  readonly state: 'unloaded' | 'loading' | 'loaded' | 'draining' | 'unloading' | 'failed';
  readonly pin: boolean;
  /** Milliseconds without a request after which it is unloaded; undefined for never. */
  readonly ttl: number | undefined;
  /** Bytes of all its engines together. */
  readonly need: number;
  /** Requests at its engines. */
  readonly leases: number;
  /** Lines of batches run at it or wait for it. They make it wanted, but replace no model that others use. */
  readonly hasLines?: boolean;
  /** Since when somebody has waited for it: a request in line, or an administrator who asked to load it. */
  readonly wantedSince: number | undefined;
  /** When the last switch to it was begun: the first step `for` it, or its load. Undefined before. */
  readonly switchedAt: number | undefined;
  /** When its last load was finished. */
  readonly loadedAt: number | undefined;
  /** Since when no request, but lines of batches, has been at it or in line for it; undefined while there is one. */
  readonly idleSince: number | undefined;
  /** How long it takes to load. */
  readonly loadMs: number;
  /** How much it was used lately: see RecentUse. */
  readonly recentUse: number;
}

export interface PlacementInput {
  readonly models: readonly PlacedModel[];
  /** Bytes for all models together. */
  readonly budget: number;
  /** `MODEL_HOLD` in milliseconds. */
  readonly hold: number;
  readonly now: number;
}

export type PlacementStep =
  | { readonly kind: 'load'; readonly model: string }
  /** It has no leases. `for` is the model that needs its memory; undefined if its ttl has passed. */
  | { readonly kind: 'unload'; readonly model: string; readonly for: string | undefined }
  /** It still has leases: send it nothing new, and unload it when they have ended. */
  | { readonly kind: 'drain'; readonly model: string; readonly for: string }
  /** It is draining, but nobody needs its memory any more. */
  | { readonly kind: 'resume'; readonly model: string }
  /** It does not fit, whatever is unloaded: `available` is what pinned models leave. */
  | { readonly kind: 'fail'; readonly model: string; readonly need: number; readonly available: number }
  /** Ask again at this time, if nothing changes before. */
  | { readonly kind: 'nothing'; readonly askAgainAt: number | undefined };

/** The next step towards the models that requests wait for: at most one model is loaded or unloaded by it. */
export function place(input: PlacementInput): PlacementStep {
  const { models, budget } = input;
  const resident = models.filter(isResident);
  const free = budget - sumOfNeeds(resident);
  const wanted = models.filter(isWanted).sort(byTurn);
  const times: number[] = [];
  const older: PlacedModel[] = [];
  for (const model of wanted) {
    const available = budget - sumOfNeeds(models.filter((other) => other.pin && other !== model));
    if (model.need > available) return { kind: 'fail', model: model.id, need: model.need, available };
    const isFirst = older.length === 0;
    if (model.need <= free && leavesRoom(model, older, { free, resident }))
      return { kind: 'load', model: model.id };
    // One switch at a time: what is unloaded is for the model that has been waited for longest.
    if (isFirst) {
      const step = makeRoom(model, { ...input, free, resident });
      if (typeof step === 'object') return step;
      times.push(step);
    }
    older.push(model);
  }
  return resumable(resident, wanted, free) ?? expired(input, times);
}

const isResident = ({ state }: PlacedModel) => state !== 'unloaded' && state !== 'failed';
const isWanted = ({ state, pin, wantedSince, hasLines = false }: PlacedModel) =>
  state === 'unloaded' && (pin || wantedSince !== undefined || hasLines);
const isLeaving = ({ state }: PlacedModel) => state === 'draining' || state === 'unloading';
const isReplaceable = ({ state, pin }: PlacedModel) => state === 'loaded' && !pin;

const sumOfNeeds = (models: readonly PlacedModel[]) => models.reduce((sum, { need }) => sum + need, 0);

/** Pinned models first, then the one that has been waited for longest, those for batches last. */
function byTurn(a: PlacedModel, b: PlacedModel): number {
  const since = ({ pin, wantedSince }: PlacedModel) =>
    pin ? Number.NEGATIVE_INFINITY : (wantedSince ?? Number.POSITIVE_INFINITY);
  return since(a) === since(b) ? 0 : since(a) - since(b);
}

interface Memory {
  readonly free: number;
  readonly resident: readonly PlacedModel[];
}

/** Whether those that have waited longer can still be loaded without unloading this one. */
function leavesRoom(model: PlacedModel, older: readonly PlacedModel[], { free, resident }: Memory): boolean {
  const claimed = sumOfNeeds(older);
  if (claimed === 0) return true;
  const freeable = sumOfNeeds(resident.filter((other) => isReplaceable(other) || isLeaving(other)));
  return free - model.need + freeable >= claimed;
}

/** The next step towards room for `wanted`, or the time at which there is one; infinity if an event has to come first. */
function makeRoom(wanted: PlacedModel, input: PlacementInput & Memory): PlacementStep | number {
  const { resident, free, now } = input;
  const missing = wanted.need - free - sumOfNeeds(resident.filter(isLeaving));
  if (missing <= 0) return Number.POSITIVE_INFINITY;
  const candidates = resident
    .filter(isReplaceable)
    .map((model) => ({ model, at: replaceableAt(model, wanted, input) }));
  const due = candidates.filter(({ at }) => at <= now).map(({ model }) => model);
  const [victim] = cheapest(due, missing);
  if (victim === undefined) return timeOfRoom(candidates, missing);
  return { kind: victim.leases > 0 ? 'drain' : 'unload', model: victim.id, for: wanted.id };
}

/**
 * From when on a model may be unloaded for another one. Those who use it go on for the hold after the other one was asked
 * for; unused for a tenth of it, it may go earlier. It stays for the hold after the switch to it, so that there is at most
 * one switch in that time, and at least as long as its load took.
 */
function replaceableAt(model: PlacedModel, wanted: PlacedModel, { hold }: PlacementInput): number {
  if (!wanted.pin && wanted.wantedSince === undefined) return replaceableForBatchAt(model, hold);
  if (isForBatchAlone(model)) return Number.NEGATIVE_INFINITY;
  const { switchedAt = Number.NEGATIVE_INFINITY, loadedAt = Number.NEGATIVE_INFINITY } = model;
  const heldUntil = wanted.pin ? Number.NEGATIVE_INFINITY : (wanted.wantedSince ?? 0) + hold;
  const unusedFrom = model.idleSince === undefined ? Number.POSITIVE_INFINITY : model.idleSince + hold / 10;
  const settledAt = Math.max(switchedAt + hold, loadedAt + model.loadMs);
  return Math.max(settledAt, Math.min(heldUntil, unusedFrom));
}

/** A batch waits until nobody has used the model for the hold. Of two batches the one that runs goes on to its end. */
function replaceableForBatchAt({ idleSince, hasLines = false }: PlacedModel, hold: number): number {
  return hasLines || idleSince === undefined ? Number.POSITIVE_INFINITY : idleSince + hold;
}

/** It was loaded for a batch, and nobody else has used it since. */
const isForBatchAlone = ({ hasLines = false, idleSince, loadedAt }: PlacedModel) =>
  hasLines && idleSince !== undefined && loadedAt !== undefined && idleSince <= loadedAt;

/** The models whose loss costs least, enough of them to free `missing` bytes; none if all together do not. */
function cheapest(models: readonly PlacedModel[], missing: number): readonly PlacedModel[] {
  if (sumOfNeeds(models) < missing) return [];
  const chosen = new Set<PlacedModel>();
  for (const model of models.toSorted((a, b) => costOfLoss(a) - costOfLoss(b))) {
    if (sumOfNeeds([...chosen]) >= missing) break;
    chosen.add(model);
  }
  // A larger one that was chosen last may make smaller ones unnecessary.
  for (const model of [...chosen].sort((a, b) => costOfLoss(b) - costOfLoss(a)))
    if (sumOfNeeds([...chosen]) - model.need >= missing) chosen.delete(model);
  return [...chosen];
}

/** How long its users would wait in all, if it had to be loaded again. */
const costOfLoss = ({ loadMs, recentUse }: PlacedModel) => loadMs * recentUse;

/** When enough models may be unloaded. */
function timeOfRoom(
  candidates: readonly { readonly model: PlacedModel; readonly at: number }[],
  missing: number,
): number {
  let freed = 0;
  for (const { model, at } of candidates.toSorted((a, b) => a.at - b.at)) {
    freed += model.need;
    if (freed >= missing) return at;
  }
  return Number.POSITIVE_INFINITY;
}

/** A draining model that is waited for, if those that are to be loaded fit without its memory. */
function resumable(
  resident: readonly PlacedModel[],
  wanted: readonly PlacedModel[],
  free: number,
): PlacementStep | undefined {
  const leaving = sumOfNeeds(resident.filter(isLeaving));
  const found = resident.find(
    (model) =>
      model.state === 'draining' &&
      model.wantedSince !== undefined &&
      sumOfNeeds(wanted) <= free + leaving - model.need,
  );
  return found && { kind: 'resume', model: found.id };
}

/** Unloads a model that has not been used for its ttl. */
function expired({ models, now }: PlacementInput, times: readonly number[]): PlacementStep {
  const ends = models
    .filter(isReplaceable)
    .flatMap(({ id, ttl, idleSince, leases, hasLines }) =>
      ttl === undefined || idleSince === undefined || leases > 0 || hasLines
        ? []
        : [{ id, at: idleSince + ttl }],
    );
  const due = ends.find(({ at }) => at <= now);
  if (due) return { kind: 'unload', model: due.id, for: undefined };
  const next = Math.min(...times, ...ends.map(({ at }) => at));
  return { kind: 'nothing', askAgainAt: Number.isFinite(next) ? next : undefined };
}

/**
 * The need of a model whose load failed for memory while `free` bytes were left: more than these, so that the next load
 * comes after one more model was unloaded.
 */
export function needAfterMemoryFailure(need: number, free: number): number {
  return Math.max(need, free + 1);
}
