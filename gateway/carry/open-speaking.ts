import { ChatAsMessage } from '../anthropic/chat-as-message.ts';
import { MessageMender } from '../anthropic/message-mender.ts';
import { LegacyFunctionAnswer } from '../openai/normalize/legacy-answer.ts';
import { ToolFormAnswer } from '../openai/normalize/tool-form-answer.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import { repeatedFields } from '../openai/responses/repeated-fields.ts';
import { ResponseMender } from '../openai/responses/response-mender.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import type { AnswerMender } from '../upstream/answer-mender.ts';
import { type StreamVoice, voiceOf } from '../upstream/stream-voice.ts';

/** What speaks to the client of one request, over as many engines as its answer takes. */
export interface Speaking {
  readonly voice: StreamVoice;
  /** Where answers do not pass as they are. */
  readonly mender: AnswerMender | undefined;
}

export function openSpeaking(
  { dialect, shape }: ApiRoute,
  { repeated, answerForm, toolForms }: ApiRequest,
  model: string,
): Speaking {
  if (dialect === 'responses') {
    const createdAt = Math.floor(Date.now() / 1000);
    const mender = new ResponseMender({ model, createdAt, repeated: repeated ?? repeatedFields({}) });
    return { voice: mender, mender: toolForms ? new ToolFormAnswer(mender, toolForms) : mender };
  }
  return { voice: voiceOf(dialect), mender: menderFor(shape, answerForm) };
}

function menderFor(shape: ApiRoute['shape'], form: ApiRequest['answerForm']): AnswerMender | undefined {
  if (form === 'legacy function call') return new LegacyFunctionAnswer();
  if (form === 'message') return new ChatAsMessage();
  return shape === 'message' ? new MessageMender() : undefined;
}
