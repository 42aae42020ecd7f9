import type {
  Changes,
  Orders,
  RestartAnswer,
  RestartVerdict,
  SupervisorMessage,
} from '../../health/house-messages.ts';
import { noteUnforeseen } from '../../log/unforeseen.ts';
import type { ParentChannel } from './parent-channel.ts';
import { reportActivity } from './report-activity.ts';

/** How long the supervisor may take to check the changes of a restart, ms: it reads no more than the head of a file. */
const ANSWER_TIMEOUT = 10_000;

/** What is to be done about what it says. */
export interface Hearers {
  /** Settling, it has nothing at the engine any more where the orders said so. */
  readonly obey: (orders: Orders) => Promise<void>;
  /** No request is to blame for the engine's last end. */
  readonly absolve: () => void;
}

/** What the supervisor wants of us and we of it. Absent until it has given its first orders, which may be never. */
export class Supervisor {
  readonly #channel: ParentChannel | undefined;
  readonly #questions = new Map<number, (verdict: RestartVerdict) => void>();
  #isPresent = false;
  #asked = 0;
  /** Tells how many requests are under way. */
  readonly countRequests: (open: number) => void;

  constructor(channel: ParentChannel | undefined) {
    this.#channel = channel;
    this.countRequests = reportActivity((message) => channel?.tell(message));
  }

  /** Whether there is one, which has spoken to us. */
  get isPresent(): boolean {
    return this.#isPresent;
  }

  /** Follows its orders from now on. */
  follow(hearers: Hearers): void {
    this.#channel?.listen((message) => this.#hear(message, hearers).catch(noteUnforeseen));
  }

  /** Tells of ends of the engine that one request was the cause of. */
  tellCulprit(deaths: number): void {
    this.#channel?.tell({ kind: 'culprit', deaths });
  }

  /** Undefined where no supervisor hears us. */
  async restartEngine(changes: Changes): Promise<RestartVerdict | undefined> {
    if (!this.#isPresent) return undefined;
    const { promise, resolve } = Promise.withResolvers<RestartVerdict | undefined>();
    const id = ++this.#asked;
    const timer = setTimeout(() => resolve(undefined), ANSWER_TIMEOUT);
    this.#questions.set(id, resolve);
    this.#channel?.tell({ kind: 'restart-wanted', id, changes });
    const verdict = await promise;
    clearTimeout(timer);
    this.#questions.delete(id);
    return verdict;
  }

  async #hear(message: SupervisorMessage, { obey, absolve }: Hearers): Promise<void> {
    if (message.kind === 'restart-answer') return this.#learn(message);
    if (message.kind === 'engine-ended-blamelessly') return absolve();
    this.#isPresent = true;
    await obey(message);
    if (message.hold) this.#channel?.tell({ kind: 'holding' });
  }

  #learn({ id, verdict }: RestartAnswer): void {
    this.#questions.get(id)?.(verdict);
  }
}
