import { MessageAggregator } from '../anthropic/aggregate.ts';
import { ChatAggregator } from '../openai/aggregate-chat.ts';
import { CompletionAggregator } from '../openai/aggregate-completion.ts';
import { ResponseAggregator } from '../responses/aggregate.ts';
import type { AggregationPlan, Aggregator, CompletionShape } from './aggregator.ts';

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
