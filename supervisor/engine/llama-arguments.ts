import type { BackendAddress } from '../../health/backend.ts';
import { includesArgument } from './extra-arguments.ts';
import type { ModelSource } from './model.ts';

/** What llama-server is asked to do, in our words. */
export interface EngineOptions {
  readonly model: ModelSource;
  /** The name that answers carry. */
  readonly publicName: string;
  /** Context tokens of one request. */
  readonly ctx: number | 'auto';
  readonly parallel: number | 'auto';
  readonly ngl: number | 'auto';
  /** 0 leaves the choice to llama-server. */
  readonly threads: number;
  readonly flashAttn: 'auto' | 'on' | 'off';
  readonly cacheTypeK: string | undefined;
  readonly cacheTypeV: string | undefined;
  readonly mmproj: string | undefined;
  readonly draftModel: string | undefined;
  /** Milliseconds of silence in a stream after which a comment is sent; 0 is never. */
  readonly keepaliveMs: number;
  /** Milliseconds without a request after which the memory is given back; undefined or 0 is never. */
  readonly sleepIdleMs: number | undefined;
  readonly extraArgs: readonly string[];
}

/** llama-server's own number of slots where it is left to choose. */
export const defaultSlots = 4;

/** Of all slots together: it counts them in 32 bits. */
export const maxContext = 2 ** 31 - 1;

/** The longest input of embeddings and rankings where CTX leaves the context open: batches of more take gigabytes. */
const longestInput = 8192;

/**
 * llama-server's command line for our wishes; `cacheMiB` is what it may keep of earlier prompts, undefined leaves that to
 * it. It never holds a secret: every user of the machine can read it.
 */
export function llamaArguments(wishes: EngineOptions, address: BackendAddress, cacheMiB?: number): string[] {
  return [
    ...addressArguments(address),
    ...modelArguments(wishes.model),
    ...['--alias', wishes.publicName],
    ...contextArguments(wishes.ctx, wishes.parallel),
    ...option('-ngl', wishes.ngl === 'auto' ? undefined : wishes.ngl),
    ...option('-t', wishes.threads === 0 ? undefined : wishes.threads),
    ...option('-fa', wishes.flashAttn === 'auto' ? undefined : wishes.flashAttn),
    ...option('-ctk', wishes.cacheTypeK),
    ...option('-ctv', wishes.cacheTypeV),
    ...option('--mmproj', wishes.mmproj),
    ...option('-md', wishes.draftModel),
    ...option('--cache-ram', cacheMiB),
    ...batchArguments(wishes),
    ...['--metrics', '--no-ui'],
    ...option('--sse-ping-interval', wishes.keepaliveMs === 0 ? -1 : Math.ceil(wishes.keepaliveMs / 1000)),
    ...option('--sleep-idle-seconds', wishes.sleepIdleMs ? Math.ceil(wishes.sleepIdleMs / 1000) : undefined),
    ...wishes.extraArgs,
  ];
}

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
  // With `-mu` alone llama-server 0.7.0 sees no model at all, and serves none (router mode).
  return ['-mu', model.url, '-m', model.path];
}

/**
 * CTX counts the tokens of one request, `-c` those of all slots together. Where only the slots are given they share
 * what the model and the memory allow, as llama-server does of itself when nothing is given.
 */
function contextArguments(ctx: number | 'auto', parallel: number | 'auto'): string[] {
  if (ctx === 'auto') return parallel === 'auto' ? [] : ['-np', String(parallel), '-kvu'];
  const slots = parallel === 'auto' ? defaultSlots : parallel;
  return ['-np', String(slots), '-c', String(slots * ctx)];
}

const givesVectors = ['--embedding', '--embeddings', '--rerank', '--reranking'];

/** An embedding or a ranking is computed in one batch: whatever fits into the context is to fit into that. */
function batchArguments({ ctx, extraArgs }: EngineOptions): string[] {
  if (!includesArgument(extraArgs, givesVectors)) return [];
  const tokens = ctx === 'auto' ? longestInput : ctx;
  return [
    ...option('-b', includesArgument(extraArgs, ['-b', '--batch-size']) ? undefined : tokens),
    ...option('-ub', includesArgument(extraArgs, ['-ub', '--ubatch-size']) ? undefined : tokens),
  ];
}
