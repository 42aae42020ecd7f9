import type { AnswerShape } from '../openai/assemble/assembly.ts';
import { ChatSeam } from './chat-seam.ts';
import { MessageSeam } from './message-seam.ts';
import { ResponseSeam } from './response-seam.ts';
import type { Seam, SeamFacts } from './seam.ts';

export function openSeam(shape: AnswerShape, facts: SeamFacts): Seam {
  switch (shape) {
    case 'chat':
    case 'completion':
      return new ChatSeam(facts);
    case 'message':
      return new MessageSeam(facts);
    case 'response':
      return new ResponseSeam(facts);
  }
}
