import { MessageAggregator } from '../../anthropic/message-assembly.ts';
import type { AggregationPlan, Aggregator, CompletionShape } from './assembly.ts';
import { ChatAggregator } from './chat-assembly.ts';
import { CompletionAggregator } from './completion-assembly.ts';
import { ResponseAggregator } from './response-assembly.ts';

const assemblies: Readonly<Record<CompletionShape, new (begun: () => string) => Aggregator>> = {
  chat: ChatAggregator,
  completion: CompletionAggregator,
  response: ResponseAggregator,
  message: MessageAggregator,
};

/** `isRepeated` is asked when the answer begins: whether the engine would repeat its beginning. */
export function createAggregator({ shape, prefix }: AggregationPlan, isRepeated: () => boolean): Aggregator {
  return new assemblies[shape](() => (isRepeated() ? prefix : ''));
}
