import type { CompletionShape } from '../openai/assemble/assembly.ts';
import { ChatResumeRewriter } from './chat-seam.ts';
import { MessageResumeRewriter } from './message-seam.ts';
import { ResponsesResumeRewriter } from './response-seam.ts';
import type { ResumePoint, ResumeRewriter } from './seam.ts';

export function createResumeRewriter(shape: CompletionShape, facts: ResumePoint): ResumeRewriter {
  switch (shape) {
    case 'chat':
    case 'completion':
      return new ChatResumeRewriter(facts);
    case 'message':
      return new MessageResumeRewriter(facts);
    case 'response':
      return new ResponsesResumeRewriter(facts);
  }
}
