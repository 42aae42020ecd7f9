import { unsupportedValue } from '../../errors/catalogue.ts';
import { resolveFormatAndTools } from '../format-or-tools.ts';
import { isJsonObject, type JsonObject, withFields, withoutNulls } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { normalizeChatMessages } from './chat-messages.ts';
import { normalizeChatTools } from './chat-tools.ts';
import { pairChatCalls } from './pair-calls.ts';

/** A chat request as llama-server reads it; the same fields where it does already. */
export function normalizeChat(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  refuseWhatNobodyReads(fields);
  const { messages } = fields;
  const read = Array.isArray(messages)
    ? pairChatCalls(normalizeChatMessages(messages, notes), notes)
    : messages;
  const whole = withFields(withoutNulls(fields, ['reasoning_format']), { messages: read });
  return resolveFormatAndTools(normalizeChatTools(whole, notes), notes);
}

function refuseWhatNobodyReads({ modalities, web_search_options }: JsonObject): void {
  if (Array.isArray(modalities) && modalities.includes('audio'))
    throw unsupportedValue(
      'modalities',
      "asks for audio, and llama-server answers in text. Leave 'audio' out.",
    );
  if (isJsonObject(web_search_options))
    throw unsupportedValue(
      'web_search_options',
      'asks for a search that runs at OpenAI. Leave it out, or give a tool.',
    );
}
