import { includesArgument } from './extra-arguments.ts';

/** The number of slots that llama-server chooses by default. */
export const defaultSlots = 4;

/** The longest input of embeddings and rankings without a context size: larger batches take gigabytes. */
export const defaultInputTokens = 8192;

/** Whether llama-server computes embeddings or rankings with these arguments: each in one batch, which holds the full context. */
export function computesVectors(args: readonly string[]): boolean {
  return includesArgument(args, ['--embedding', '--embeddings', '--rerank', '--reranking']);
}

/** For all slots together: llama-server counts tokens in 32 bits. */
const maxContext = 2 ** 31 - 1;

/** Why llama-server could not serve a context of `ctx` tokens in each of its slots; undefined if it can. */
export function contextProblem(ctx: number | 'auto', parallel: number | 'auto'): string | undefined {
  if (ctx === 'auto') return undefined;
  const slots = parallel === 'auto' ? defaultSlots : parallel;
  return slots * ctx <= maxContext
    ? undefined
    : `${ctx} tokens in each of ${slots} slots exceed the ${maxContext} tokens that llama-server supports`;
}
