import type { JsonObject } from '../json/json-object.ts';
import type { Row } from './database.ts';

export const responseStatuses = [
  'queued',
  'in_progress',
  'completed',
  'incomplete',
  'failed',
  'cancelled',
] as const;

export type ResponseStatus = (typeof responseStatuses)[number];

export interface StoredItem {
  readonly id: string;
  /** With its id. */
  readonly item: JsonObject;
}

/** An item to store, or the id of a stored one of the same owner. */
export type InputItem = { readonly item: JsonObject } | { readonly stored: string };

/** What is known of a response without reading its content. Times are seconds since 1970. */
export interface ResponseSummary {
  readonly id: string;
  /** The id of the key; empty where no key is required. */
  readonly owner: string;
  /** For a background response, the id of the user of the key who created it. */
  readonly user: string | null;
  readonly status: ResponseStatus;
  readonly background: boolean;
  readonly stream: boolean;
  readonly model: string;
  readonly createdAt: number;
  /** When it ended, in whatever way. */
  readonly completedAt: number | null;
  readonly previousId: string | null;
  readonly conversationId: string | null;
}

export interface StoredResponse extends ResponseSummary {
  /** As its client received it, with its output. */
  readonly object: JsonObject;
  readonly usage: unknown;
}

/** What a response continues: at most one of both. */
export interface Continued {
  readonly previousId?: string | null | undefined;
  readonly conversationId?: string | null | undefined;
}

interface NewResponse extends Continued {
  readonly id: string;
  readonly owner: string;
  readonly model: string;
  readonly createdAt: number;
  /** As its client receives it. */
  readonly object: JsonObject;
  /** Its own, without what it continues. */
  readonly input: readonly InputItem[];
  readonly stream: boolean;
}

/** A response that has ended. */
export interface EndedResponse extends NewResponse {
  readonly status: ResponseStatus;
}

/** A response that the runner is to generate. */
export interface BackgroundResponse extends NewResponse {
  readonly user?: string | undefined;
  /** The fields of the request. */
  readonly request: JsonObject;
  /** Its first events, stored together with it. */
  readonly events?: readonly ResponseEvent[];
  /** The same key with the same digest of the request creates nothing, but returns the response from before. */
  readonly idempotencyKey?: string | undefined;
  readonly requestDigest?: string | undefined;
}

export type CreatedResponse =
  | { readonly response: StoredResponse; readonly created: boolean }
  | 'idempotency-conflict'
  /** Another background response of its conversation has not ended. */
  | 'conversation-locked';

/** An event of the stream of a background response. */
export interface ResponseEvent {
  readonly sequence: number;
  /** Complete, with what ends it. */
  readonly text: string;
}

export const hasEnded = (status: ResponseStatus) => status !== 'queued' && status !== 'in_progress';

const linked = `p.id AS previous_id, c.id AS conversation_id FROM responses r
  LEFT JOIN responses p ON p.n = r.previous LEFT JOIN conversations c ON c.n = r.conversation`;

/** The columns and tables of a ResponseSummary, without contents, which may be large. `r` is its row. */
export const summaryOf = `SELECT r.n, r.id, r.owner, r.user, r.status, r.background, r.stream, r.model, r.created_at, r.ended_at, ${linked}`;

/** The same with all columns. */
export const recordOf = `SELECT r.*, ${linked}`;

export function toSummary(row: Row): ResponseSummary {
  return {
    id: String(row.id),
    owner: String(row.owner),
    user: row.user as string | null,
    status: row.status as ResponseStatus,
    background: row.background === 1,
    stream: row.stream === 1,
    model: String(row.model),
    createdAt: Number(row.created_at),
    completedAt: row.ended_at === null ? null : Number(row.ended_at),
    previousId: row.previous_id as string | null,
    conversationId: row.conversation_id as string | null,
  };
}
