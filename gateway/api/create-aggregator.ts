import type { AggregationPlan, Aggregator } from './aggregation.ts';
import { MessageAggregator } from './anthropic/aggregate.ts';
import { ChatAggregator, CompletionAggregator } from './openai/aggregate.ts';
import { ResponseAggregator } from './responses/aggregate.ts';

const aggregators: Readonly<Record<AggregationPlan['shape'], new (getPrefix: () => string) => Aggregator>> = {
  chat: ChatAggregator,
  completion: CompletionAggregator,
  response: ResponseAggregator,
  message: MessageAggregator,
};

/** `isRepeated` is called when the completion begins: whether the engine's own JSON response would repeat its beginning. */
export function createAggregator({ shape, prefix }: AggregationPlan, isRepeated: () => boolean): Aggregator {
  return new aggregators[shape](() => (isRepeated() ? prefix : ''));
}
