import type { CompletionShape } from '../api/route-table.ts';
import { ChatResumeRewriter } from './chat-rewriter.ts';
import { MessageResumeRewriter } from './message-rewriter.ts';
import { ResponsesResumeRewriter } from './responses-rewriter.ts';
import type { ResumePoint, ResumeRewriter } from './resume-rewriter.ts';

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
