import { MessageAssembly } from '../../anthropic/message-assembly.ts';
import type { AnswerShape, Assembly } from './assembly.ts';
import { ChatAssembly } from './chat-assembly.ts';
import { CompletionAssembly } from './completion-assembly.ts';
import { ResponseAssembly } from './response-assembly.ts';

const assemblies: Readonly<Record<AnswerShape, new () => Assembly>> = {
  chat: ChatAssembly,
  completion: CompletionAssembly,
  response: ResponseAssembly,
  message: MessageAssembly,
};

export function openAssembly(shape: AnswerShape): Assembly {
  return new assemblies[shape]();
}
