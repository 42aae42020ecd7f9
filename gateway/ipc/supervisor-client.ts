import type {
  EngineStateMessage,
  RestartOutcome,
  RestartReply,
  SettingChanges,
  SupervisorMessage,
} from '../../health/supervisor-messages.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { ParentChannel } from './parent-channel.ts';
import { reportActivity } from './report-activity.ts';

/** How long the supervisor may take to check the changes of a restart, ms: it reads no more than the head of a file. */
const ANSWER_TIMEOUT = 10_000;

/** What is to be done about what it says. */
export interface SupervisorHandlers {
  /** Settling, it has nothing at the engine any more where the orders said so. */
  readonly onOrders: (orders: EngineStateMessage) => Promise<void>;
  /** No request is to blame for the engine's last end. */
  readonly onBlamelessCrash: () => void;
}

/** What the supervisor wants of us and we of it. Absent until it has given its first orders, which may be never. */
export class SupervisorClient {
  readonly #channel: ParentChannel | undefined;
  readonly #questions = new Map<number, (verdict: RestartOutcome) => void>();
  #isPresent = false;
  #asked = 0;
  /** Tells how many requests are under way. */
  readonly reportRequestCount: (open: number) => void;

  constructor(channel: ParentChannel | undefined) {
    this.#channel = channel;
    this.reportRequestCount = reportActivity((message) => channel?.send(message));
  }

  /** Whether there is one, which has spoken to us. */
  get isPresent(): boolean {
    return this.#isPresent;
  }

  /** Follows its orders from now on. */
  subscribe(hearers: SupervisorHandlers): void {
    this.#channel?.onMessage((message) => this.#hear(message, hearers).catch(recordUnhandledError));
  }

  /** Tells of ends of the engine that one request was the cause of. */
  reportCulprit(deaths: number): void {
    this.#channel?.send({ kind: 'crash-cause-found', crashes: deaths });
  }

  /** Undefined where no supervisor hears us. */
  async restartEngine(changes: SettingChanges): Promise<RestartOutcome | undefined> {
    if (!this.#isPresent) return undefined;
    const { promise, resolve } = Promise.withResolvers<RestartOutcome | undefined>();
    const id = ++this.#asked;
    const timer = setTimeout(() => resolve(undefined), ANSWER_TIMEOUT);
    this.#questions.set(id, resolve);
    this.#channel?.send({ kind: 'restart-request', id, changes });
    const verdict = await promise;
    clearTimeout(timer);
    this.#questions.delete(id);
    return verdict;
  }

  async #hear(message: SupervisorMessage, { onOrders, onBlamelessCrash }: SupervisorHandlers): Promise<void> {
    if (message.kind === 'restart-reply') return this.#learn(message);
    if (message.kind === 'engine-stopped-from-outside') return onBlamelessCrash();
    this.#isPresent = true;
    await onOrders(message);
    if (message.pause) this.#channel?.send({ kind: 'drained' });
  }

  #learn({ id, result }: RestartReply): void {
    this.#questions.get(id)?.(result);
  }
}
