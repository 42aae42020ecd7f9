import { MessageAssembly } from '../../anthropic/message-assembly.ts';
import type { AnswerShape, Assembly, AssemblyPlan } from './assembly.ts';
import { ChatAssembly } from './chat-assembly.ts';
import { CompletionAssembly } from './completion-assembly.ts';
import { ResponseAssembly } from './response-assembly.ts';

const assemblies: Readonly<Record<AnswerShape, new (begun: string) => Assembly>> = {
  chat: ChatAssembly,
  completion: CompletionAssembly,
  response: ResponseAssembly,
  message: MessageAssembly,
};

export function openAssembly({ shape, begun }: AssemblyPlan): Assembly {
  return new assemblies[shape](begun);
}
