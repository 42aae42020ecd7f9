import type { JsonObject } from '../../../json/json-object.ts';
import { isJsonObject } from '../../api/json.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import {
  backgroundInBatch,
  backgroundNeedsStore,
  mutuallyExclusive,
} from '../../errors/responses-catalogue.ts';
import { readMetadata } from '../store/metadata.ts';

/** What a request to /v1/responses says about its state. */
export interface StateFields {
  /** Whether its response is to be kept. */
  readonly store: boolean;
  /** Whether the client relies on that: it said so itself, or continues something. Without it, a full disk costs nothing. */
  readonly mustStore: boolean;
  readonly previousId: string | undefined;
  readonly conversationId: string | undefined;
  readonly background: boolean;
}

/** Throws an ApiError. As with OpenAI, a response is kept unless the client says otherwise; that of a line of a batch is not. */
export function readStateFields(fields: JsonObject, isBatch: boolean): StateFields {
  const asked = readBoolean(fields, 'store');
  const background = readBoolean(fields, 'background') ?? false;
  const previousId = readId('previous_response_id', fields.previous_response_id);
  const conversationId = readConversation(fields.conversation);
  if (previousId !== undefined && conversationId !== undefined)
    throw mutuallyExclusive('conversation', 'previous_response_id');
  if (background && isBatch) throw backgroundInBatch();
  if (background && asked === false) throw backgroundNeedsStore();
  const continues = previousId !== undefined || conversationId !== undefined;
  const store = asked ?? !isBatch;
  if (store) readMetadata(fields.metadata);
  return {
    store,
    mustStore: store && (asked === true || continues || background),
    previousId,
    conversationId,
    background,
  };
}

function readBoolean(fields: JsonObject, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw invalidValue(name, 'a boolean', value);
  return value;
}

/** Some clients send an empty text for none. */
function readId(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalidValue(name, 'an id, a string', value);
  return value;
}

function readConversation(value: unknown): string | undefined {
  if (!isJsonObject(value)) return readId('conversation', value);
  const id = readId('conversation.id', value.id);
  if (id === undefined) throw invalidValue('conversation.id', 'an id, a string', value.id);
  return id;
}
