import type { IncomingMessage } from 'node:http';
import type { BackendMonitor } from '../../health/watch.ts';
import type { Scheduler } from '../admission/admission.ts';
import type { ClientResponse } from '../client-response.ts';
import type { GatewayConfig } from '../config.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { ModelNames } from '../openai/model-names.ts';
import type { ModelMetaCache } from '../openai/model-sheet.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import type { PrefillProbe } from '../prefill/prefill-habits.ts';
import type { LiveRequests } from '../record/live-requests.ts';
import type { RequestRecord } from '../record/request-record.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import type { Quarantine } from '../suspects/suspects.ts';
import type { ResponseRewriter } from '../upstream/answer-mender.ts';
import type { SlotTracker } from '../upstream/occupancy.ts';
import type { KeepAlive } from '../upstream/pacemaker.ts';
import type { BackendPool } from '../upstream/pool.ts';
import type { StreamFormatter } from '../upstream/stream-voice.ts';
import type { BodyBudget } from './body-budget.ts';
import type { AbandonedInputCounter } from './count-abandoned.ts';
import type { CountingContext } from './count-input.ts';

/** What all requests share on their way. */
export interface ProxyServices {
  readonly config: GatewayConfig;
  readonly pool: BackendPool;
  readonly scheduler: Scheduler;
  /** For what needs no slot. */
  readonly countingScheduler: Scheduler;
  readonly watch: BackendMonitor;
  readonly models: ModelNames;
  readonly modelSheet: ModelMetaCache;
  readonly liveRequests: LiveRequests;
  readonly bodyBudget: BodyBudget;
  readonly counting: CountingContext;
  readonly abandonedInput: AbandonedInputCounter;
  readonly rateLimits: RateLimits;
  readonly slotTracker: SlotTracker;
  readonly quarantine: Quarantine;
  /** Aborts when all that is under way is broken off, because the gateway ends. */
  readonly shutdown: AbortSignal;
  readonly prefillProbe: PrefillProbe;
}

/** One request that is on its way to the backend, as often as that takes. */
export interface ProxyContext {
  readonly route: ApiRoute;
  readonly services: ProxyServices;
  readonly request: ApiRequest;
  /** Aborts when the client leaves or the request is cancelled. */
  readonly signal: AbortSignal;
  readonly record: RequestRecord;
  readonly keepAlive: KeepAlive | undefined;
  readonly formatter: StreamFormatter;
  /** Where answers do not pass as they are. */
  readonly rewriter: ResponseRewriter | undefined;
  readonly incoming: IncomingMessage;
  readonly response: ClientResponse;
  /** The name of the model that the request is for, as far as its key may have it; throws the Refusal where it may not. */
  readonly modelName: () => string;
}

/** Whether the backend is asked for a stream, whatever the client gets: a stream as well, or one piece made of it. */
export const requestsStream = ({ stream, aggregation }: ApiRequest) => stream || aggregation !== undefined;
