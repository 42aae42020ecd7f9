import { MessageAssembly } from '../../anthropic/message-assembly.ts';
import type { AnswerShape, Assembly, AssemblyPlan } from './assembly.ts';
import { ChatAssembly } from './chat-assembly.ts';
import { CompletionAssembly } from './completion-assembly.ts';
import { ResponseAssembly } from './response-assembly.ts';

const assemblies: Readonly<Record<AnswerShape, new (begun: () => string) => Assembly>> = {
  chat: ChatAssembly,
  completion: CompletionAssembly,
  response: ResponseAssembly,
  message: MessageAssembly,
};

/** `isRepeated` is asked when the answer begins: whether the engine would repeat its beginning. */
export function openAssembly({ shape, begun }: AssemblyPlan, isRepeated: () => boolean): Assembly {
  return new assemblies[shape](() => (isRepeated() ? begun : ''));
}
