import type { BackendAddress } from '../../health/backend.ts';
import { computesVectors, defaultInputTokens, defaultSlots } from '../../models/context-size.ts';
import { includesArgument } from '../../models/extra-arguments.ts';
import type { NeedOptions } from '../../models/memory-need.ts';
import type { ModelSource } from '../../models/registry.ts';
import { speculationArguments } from './speculation-arguments.ts';

/** The options of llama-server, independent of its arguments. */
export interface EngineOptions extends NeedOptions {
  /** The model name in responses. */
  readonly publicName: string;
  /** 0 lets llama-server choose. */
  readonly threads: number;
  /** The types of speculation that this llama-server has; undefined if it was not asked. */
  readonly speculationTypes?: readonly string[] | undefined;
  /** Milliseconds without output in a stream after which a comment is sent; 0 is never. */
  readonly keepaliveMs: number;
  /** Milliseconds without a request after which the memory is released; undefined or 0 is never. */
  readonly sleepIdleMs: number | undefined;
  /** Indexes of the GPUs that it may use; undefined for all. */
  readonly devices?: readonly number[] | undefined;
}

/**
 * The command line of llama-server; `cacheMiB` limits its prompt cache, undefined keeps the default. It never contains a
 * secret, because every user of the machine can read it.
 */
export function llamaArguments(options: EngineOptions, address: BackendAddress, cacheMiB?: number): string[] {
  return [
    ...addressArguments(address),
    ...modelArguments(options.model),
    ...['--alias', options.publicName],
    ...contextArguments(options.ctx, options.parallel),
    ...option('-ngl', options.ngl === 'auto' ? undefined : options.ngl),
    ...option('-t', options.threads === 0 ? undefined : options.threads),
    ...option('-fa', options.flashAttn === 'auto' ? undefined : options.flashAttn),
    ...option('-ctk', options.cacheTypeK),
    ...option('-ctv', options.cacheTypeV),
    ...option('--mmproj', options.mmproj),
    ...speculationArguments(options),
    ...adapterArguments(options),
    ...option('--cache-ram', cacheMiB),
    ...batchArguments(options),
    ...['--metrics', '--no-ui'],
    ...option('--sse-ping-interval', options.keepaliveMs === 0 ? -1 : Math.ceil(options.keepaliveMs / 1000)),
    ...option(
      '--sleep-idle-seconds',
      options.sleepIdleMs ? Math.ceil(options.sleepIdleMs / 1000) : undefined,
    ),
    ...options.extraArgs,
    ...(options.adapters?.length ? withoutCache : []),
  ];
}

/**
 * Adapters are loaded with the scale 0, so that a request uses none unless it says so; `--lora-init-without-apply` would
 * leave them at 1.
 */
function adapterArguments({ adapters = [] }: EngineOptions): string[] {
  return adapters.length === 0 ? [] : ['--lora-scaled', adapters.map(({ path }) => `${path}:0`).join(',')];
}

/** llama-server would give a prompt that was read with one adapter to requests for another. The last argument wins. */
const withoutCache = ['--cache-ram', '0'];

const option = (name: string, value: string | number | undefined) =>
  value === undefined ? [] : [name, String(value)];

function addressArguments({ origin, socketPath }: BackendAddress): string[] {
  if (socketPath !== undefined) return ['--host', socketPath];
  const { hostname, port } = new URL(origin);
  return ['--host', hostname, '--port', port];
}

function modelArguments(model: ModelSource): string[] {
  if (model.kind === 'file') return ['-m', model.path];
  if (model.kind === 'hugging-face') return ['-hf', model.repo];
  // With `-mu` alone, llama-server 0.7.0 starts without a model, in router mode.
  return ['-mu', model.url, '-m', model.path];
}

/**
 * CTX counts the tokens of one request, `-c` those of all slots together. If only the number of slots is given, they share
 * what the model and the memory allow, like llama-server's default.
 */
function contextArguments(ctx: number | 'auto', parallel: number | 'auto'): string[] {
  if (ctx === 'auto') return parallel === 'auto' ? [] : ['-np', String(parallel), '-kvu'];
  const slots = parallel === 'auto' ? defaultSlots : parallel;
  return ['-np', String(slots), '-c', String(slots * ctx)];
}

/** An embedding or a ranking is computed in one batch, which has to hold the full context. */
function batchArguments({ ctx, extraArgs }: EngineOptions): string[] {
  if (!computesVectors(extraArgs)) return [];
  const tokens = ctx === 'auto' ? defaultInputTokens : ctx;
  return [
    ...option('-b', includesArgument(extraArgs, ['-b', '--batch-size']) ? undefined : tokens),
    ...option('-ub', includesArgument(extraArgs, ['-ub', '--ubatch-size']) ? undefined : tokens),
  ];
}
