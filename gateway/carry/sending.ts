import type { IncomingMessage } from 'node:http';
import type { BackendWatch } from '../../health/watch.ts';
import type { Admission } from '../admission/admission.ts';
import type { ClientResponse } from '../client-response.ts';
import type { GatewayConfig } from '../config.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { ModelNames } from '../openai/model-names.ts';
import type { ModelSheet } from '../openai/model-sheet.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import type { PrefillHabits } from '../prefill/prefill-habits.ts';
import type { LiveRequests } from '../record/live-requests.ts';
import type { RequestRecord } from '../record/request-record.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import type { Suspects } from '../suspects/suspects.ts';
import type { AnswerMender } from '../upstream/answer-mender.ts';
import type { Occupancy } from '../upstream/occupancy.ts';
import type { Pacemaker } from '../upstream/pacemaker.ts';
import type { BackendPool } from '../upstream/pool.ts';
import type { StreamVoice } from '../upstream/stream-voice.ts';
import type { BodyBudget } from './body-budget.ts';
import type { AbandonedInput } from './count-abandoned.ts';
import type { CountingParts } from './count-input.ts';

/** What all requests share on their way. */
export interface CarryParts {
  readonly config: GatewayConfig;
  readonly pool: BackendPool;
  readonly admission: Admission;
  /** For what needs no slot. */
  readonly countingPlaces: Admission;
  readonly watch: BackendWatch;
  readonly models: ModelNames;
  readonly sheet: ModelSheet;
  readonly live: LiveRequests;
  readonly bodies: BodyBudget;
  readonly counting: CountingParts;
  readonly abandoned: AbandonedInput;
  readonly rateLimits: RateLimits;
  readonly occupancy: Occupancy;
  readonly suspects: Suspects;
  /** Aborts when all that is under way is broken off, because the gateway ends. */
  readonly cutOff: AbortSignal;
  readonly prefillHabits: PrefillHabits;
}

/** One request that is on its way to the backend, as often as that takes. */
export interface Sending {
  readonly route: ApiRoute;
  readonly parts: CarryParts;
  readonly request: ApiRequest;
  /** Aborts when the client leaves or the request is cancelled. */
  readonly signal: AbortSignal;
  readonly record: RequestRecord;
  readonly pacemaker: Pacemaker | undefined;
  readonly voice: StreamVoice;
  /** Where answers do not pass as they are. */
  readonly mender: AnswerMender | undefined;
  readonly incoming: IncomingMessage;
  readonly response: ClientResponse;
  /** The name of the model that the request is for, as far as its key may have it; throws the Refusal where it may not. */
  readonly modelName: () => string;
}

/** Whether the backend is asked for a stream, whatever the client gets: a stream as well, or one piece made of it. */
export const asksForStream = ({ stream, assembledAs }: ApiRequest) => stream || assembledAs !== undefined;
