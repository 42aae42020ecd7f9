import { cannotCarry } from '../../refusal/catalogue.ts';
import { normalizeChatMessages } from './chat-messages.ts';
import { normalizeChatTools } from './chat-tools.ts';
import { type Fields, isFields, withFields, withoutNulls } from './fields.ts';
import { formatOrTools } from './format-or-tools.ts';
import type { Notes } from './notes.ts';
import { pairChatCalls } from './pair-calls.ts';

/** A chat request as llama-server reads it; the same fields where it does already. */
export function normalizeChat(fields: Fields, notes: Notes): Fields {
  refuseWhatNobodyReads(fields);
  const { messages } = fields;
  const read = Array.isArray(messages)
    ? pairChatCalls(normalizeChatMessages(messages, notes), notes)
    : messages;
  const whole = withFields(withoutNulls(fields, ['reasoning_format']), { messages: read });
  return formatOrTools(normalizeChatTools(whole, notes), notes);
}

function refuseWhatNobodyReads({ modalities, web_search_options }: Fields): void {
  if (Array.isArray(modalities) && modalities.includes('audio'))
    throw cannotCarry('modalities', "asks for audio, and llama-server answers in text. Leave 'audio' out.");
  if (isFields(web_search_options))
    throw cannotCarry(
      'web_search_options',
      'asks for a search that runs at OpenAI. Leave it out, or give a tool.',
    );
}
