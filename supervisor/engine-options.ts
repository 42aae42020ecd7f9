import { resolve } from 'node:path';
import { parseAdapters } from '../models/adapters.ts';
import { includesArgument, splitWords } from '../models/extra-arguments.ts';
import type {
  AdapterFile,
  ModelKind,
  ModelRecord,
  ModelSource,
  SpeculationChoice,
} from '../models/registry.ts';
import { hasMtpLayers } from '../models/speculation.ts';
import type { Settings } from '../settings/variables.ts';
import type { EngineOptions } from './engine/llama-arguments.ts';
import { defaultModelName } from './engine/model.ts';

/** The options of the only engine. */
export function engineOptions(
  settings: Settings,
  model: ModelSource,
  extraArgs: readonly string[],
): EngineOptions {
  return {
    ...sharedOptions(settings),
    model,
    publicName: settings.MODEL_ALIAS?.[0] ?? defaultModelName(model),
    ctx: settings.CTX,
    parallel: settings.PARALLEL,
    ngl: settings.NGL,
    mmproj: absolute(settings.MMPROJ),
    draftModel: absolute(settings.DRAFT_MODEL),
    speculate: settings.SPECULATE,
    adapters: adaptersIn(settings),
    extraArgs,
  };
}

/** A model with engines of our own. */
export type OwnModel = ModelRecord & { readonly source: ModelSource };

/** The options of one of the engines of a model; `replica` counts from 0. `EXTRA_ARGS` apply to all models. */
export function replicaOptions(settings: Settings, model: OwnModel, replica = 0): EngineOptions {
  const args = [...(splitWords(settings.EXTRA_ARGS ?? '') ?? []), ...model.args];
  return {
    ...sharedOptions(settings),
    model: model.source,
    publicName: model.id,
    ctx: model.ctx ?? settings.CTX,
    parallel: model.parallel ?? settings.PARALLEL,
    ngl: model.ngl ?? settings.NGL,
    mmproj: model.mmproj,
    draftModel: model.draft,
    speculate: model.speculate ?? defaultSpeculation(settings, model),
    adapters: model.adapters,
    extraArgs: [...kindArguments(model.kind, args), ...args],
    devices: devicesOf(model, replica),
  };
}

/** Invalid entries are problems of the start (adapterProblems). */
function adaptersIn({ LORA_ADAPTERS = [] }: Settings): readonly AdapterFile[] {
  return parseAdapters(LORA_ADAPTERS).flatMap((entry) =>
    typeof entry === 'string' ? [] : [{ ...entry, path: resolve(entry.path) }],
  );
}

/** The variable applies where it can: not to models without what it needs, whose fields do not ask for it. */
function defaultSpeculation({ SPECULATE }: Settings, model: OwnModel): SpeculationChoice | undefined {
  return SPECULATE === 'mtp' && !hasMtpLayers(model.source) ? 'off' : SPECULATE;
}

function sharedOptions(settings: Settings) {
  return {
    threads: settings.THREADS,
    flashAttn: settings.FLASH_ATTN,
    cacheTypeK: settings.CACHE_TYPE_K,
    cacheTypeV: settings.CACHE_TYPE_V,
    keepaliveMs: settings.STREAM_KEEPALIVE,
    sleepIdleMs: settings.SLEEP_IDLE_SECONDS,
  };
}

function kindArguments(kind: ModelKind, args: readonly string[]): readonly string[] {
  if (kind === 'embeddings')
    return includesArgument(args, ['--embedding', '--embeddings']) ? [] : ['--embeddings'];
  if (kind === 'rerank') return includesArgument(args, ['--rerank', '--reranking']) ? [] : ['--reranking'];
  return [];
}

/** Replicas share the GPUs out in turn; with more replicas than GPUs, several use the same. */
function devicesOf({ devices, replicas }: ModelRecord, replica: number): readonly number[] | undefined {
  if (devices === undefined || replicas === 1) return devices;
  const own = devices.filter((_, index) => index % replicas === replica);
  return own.length > 0 ? own : devices.slice(replica % devices.length).slice(0, 1);
}

const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
