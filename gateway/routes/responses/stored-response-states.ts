import type { JsonObject } from '../../../json/json-object.ts';
import type { Log } from '../../../log/create-log.ts';
import { newId, now } from '../../../store/ids.ts';
import type { Store } from '../../../store/store.ts';
import { replaceLoneSurrogates } from '../../api/json.ts';
import { apiForPath } from '../../api/request/normalize-request.ts';
import { decodeBody, parseBody } from '../../api/request/parse-body.ts';
import type { ApiRoute } from '../../api/route-table.ts';
import type { GatewayConfig } from '../../config.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { readSession } from '../../proxy/conversation.ts';
import type { RequestContext } from '../../proxy/request-context.ts';
import type { ResponseStates, StatefulRequest } from '../../proxy/response-states.ts';
import { ownerOf, toApiError } from '../store/store-services.ts';
import { BackgroundResponses } from './background-responses.ts';
import type { ConversationLocks } from './conversation-locks.ts';
import { expandRequest, requestWithoutInput } from './expand-request.ts';
import { type History, readHistory } from './read-history.ts';
import { checkInput, type OwnInput, readInput } from './read-input.ts';
import { ResponseKeeper } from './response-keeper.ts';
import { readStateFields, type StateFields } from './state-fields.ts';
import type { StoreChanges } from './store-changes.ts';

export interface ResponseStatesOptions {
  /** Throws StoreUnavailable while it cannot be opened. */
  readonly store: () => Store;
  readonly locks: ConversationLocks;
  readonly changes: StoreChanges;
  /** Aborts when the gateway stops. */
  readonly draining: AbortSignal;
  readonly config: GatewayConfig;
  readonly log: Log;
}

/** A request as it came, but without lone surrogates. */
interface ReceivedRequest {
  readonly text: string;
  readonly body: Buffer;
  readonly fields: JsonObject;
}

const noHistory: History = { items: [], tools: undefined };

/** The state of requests of the Responses API, in the store. */
export class StoredResponseStates implements ResponseStates {
  readonly #store: () => Store;
  readonly #limits: GatewayConfig['limits'];
  readonly #keeper: ResponseKeeper;
  readonly #locks: ConversationLocks;
  readonly #background: BackgroundResponses;

  constructor({ store, locks, changes, draining, config, log }: ResponseStatesOptions) {
    this.#store = store;
    this.#locks = locks;
    this.#background = new BackgroundResponses({ store, changes, draining, config });
    this.#limits = config.limits;
    this.#keeper = new ResponseKeeper(store, log);
  }

  begin(route: ApiRoute, client: RequestContext, received: Buffer): StatefulRequest | undefined {
    if (apiForPath(route.upstream) !== 'responses') return undefined;
    if (client.background !== undefined) return this.#resume(client, client.background);
    const given = decodeBody(received);
    const text = replaceLoneSurrogates(given);
    const body = text === given ? received : Buffer.from(text);
    const fields = parseBody(text);
    const asked = readStateFields(fields, client.isBatch);
    // A count stores nothing, and adds nothing to a conversation.
    const state = route.takesSlot ? asked : { ...asked, store: false };
    const { conversationId } = asked;
    const locks = state.store && conversationId !== undefined;
    const lock = locks ? this.#locks.acquire(ownerOf(client), conversationId) : undefined;
    try {
      return this.#begin(client, { text, body, fields }, state, lock);
    } catch (error) {
      lock?.[Symbol.dispose]();
      throw toApiError(error);
    }
  }

  #begin(
    client: RequestContext,
    { text, body, fields }: ReceivedRequest,
    state: StateFields,
    lock: Disposable | undefined,
  ): StatefulRequest {
    const { previousId, conversationId } = state;
    const owner = ownerOf(client);
    const own = readInput(fields.input, owner, this.#store);
    const history = this.#readHistory(owner, state, own, fields);
    // The engine says so of others.
    if (state.background && history === noHistory && (fields.input ?? null) === null)
      throw invalidValue('input', 'a string, or a list of items', fields.input);
    const isExpanded = history !== noHistory || own.hasReferences || state.background;
    const expanded = isExpanded ? expandRequest(text, fields, own, history) : { body, fields };
    // One in the background holds it in the store: it outlives this process. Before another one, it may be sent again.
    if (lock !== undefined && !state.background) this.#locks.requireNoBackground(owner, conversationId ?? '');
    const id = newId('resp_');
    const createdAt = now();
    const keeps = state.store && this.#keeper.mayKeep(owner, state.mustStore);
    const stream = fields.stream === true;
    const common = { owner, id, createdAt, input: own.stored, previousId, conversationId, stream };
    const about = {
      previous_response_id: previousId ?? null,
      conversation: conversationId === undefined ? null : { id: conversationId },
      store: keeps,
      background: state.background,
    };
    return {
      ...expanded,
      id,
      createdAt,
      echoed: about,
      save: keeps
        ? (object) => this.#keeper.keep({ ...common, object }, client.record, state.mustStore)
        : undefined,
      // A count has it, too, and stores nothing.
      createInBackground:
        state.background && state.store
          ? (model, echoed) => {
              const request = requestWithoutInput(text, fields, history);
              const session = readSession(client.incoming.headers);
              const response = { ...common, model, request, session, body, echoed: { ...echoed, ...about } };
              const created = this.#background.create(client, response);
              // From now on the response itself holds the conversation, however long the client follows it.
              lock?.[Symbol.dispose]();
              return this.#background.respond(client, created, stream);
            }
          : undefined,
      [Symbol.dispose]: () => lock?.[Symbol.dispose](),
    };
  }

  #readHistory(owner: string, state: StateFields, own: OwnInput, { truncation }: JsonObject): History {
    const { maxBodyBytes: maxBytes, allowRemoteMedia } = this.#limits;
    if (state.previousId === undefined && state.conversationId === undefined) return noHistory;
    checkInput(own, allowRemoteMedia);
    return readHistory(this.#store(), owner, state, { maxBytes, mayTruncate: truncation === 'auto' });
  }

  #resume(client: RequestContext, id: string): StatefulRequest {
    try {
      return this.#background.resume(client, id, this.#limits.maxBodyBytes);
    } catch (error) {
      throw toApiError(error);
    }
  }
}
