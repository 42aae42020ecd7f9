import { parseBackendUrl } from '../../health/backend.ts';
import type { EngineState, EnginesMessage, ModelState } from '../../health/supervisor-messages.ts';
import type { ModelRecord, Registry } from '../../models/registry.ts';

/** An engine that a model is to have now. */
export type WantedEngine = Pick<
  EngineState,
  'id' | 'address' | 'pause' | 'maySleep' | 'identity' | 'adapters'
> & {
  /** From the supervisor. */
  readonly apiKey?: string | undefined;
  /** Only for a backend elsewhere. */
  readonly keyFile?: string | undefined;
  readonly isElsewhere: boolean;
  /** Whether a process is to be expected at its address. */
  readonly isExpected: boolean;
};

/** The engines that the supervisor runs for the model, or the backends that its record names. */
export function wantedEngines(
  { id: model, source }: ModelRecord,
  message: EnginesMessage | undefined,
): readonly WantedEngine[] {
  if (source.kind !== 'backends') {
    const own = message?.engines.filter((engine) => engine.model === model) ?? [];
    return own.map((engine) => ({
      ...engine,
      isElsewhere: false,
      isExpected: engine.status !== 'unloaded',
    }));
  }
  return source.backends.map(({ url, keyFile }) => ({
    ...{ id: `${model} ${url}`, address: parseBackendUrl(url), keyFile },
    ...{ pause: false, maySleep: true, isElsewhere: true, isExpected: true },
  }));
}

/** Whether the supervisor knows all models of the registry. Without a supervisor there are only models that others run. */
export function isCovered({ models }: Registry, message: EnginesMessage | undefined): boolean {
  if (message === undefined) return true;
  const known = new Set(message.models.flatMap(({ id, removed }) => (removed ? [] : [id])));
  return models.every(({ id, source }) => source.kind === 'backends' || known.has(id));
}

/** The state of a model that others run, which the supervisor does not know; undefined for any other. */
export function stateElsewhere({ id, source }: ModelRecord): ModelState | undefined {
  if (source.kind !== 'backends') return undefined;
  return { id, status: 'loaded', loadProgress: null, failure: null, pin: true, removed: false };
}
