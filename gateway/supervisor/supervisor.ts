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

  /** Follows its orders from now on; settling, `obey` has nothing at the engine any more where they said so. */
  follow(obey: (orders: Orders) => Promise<void>): void {
    this.#channel?.listen((message) => this.#hear(message, obey).catch(noteUnforeseen));
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

  async #hear(message: SupervisorMessage, obey: (orders: Orders) => Promise<void>): Promise<void> {
    if (message.kind === 'restart-answer') return this.#learn(message);
    this.#isPresent = true;
    await obey(message);
    if (message.hold) this.#channel?.tell({ kind: 'holding' });
  }

  #learn({ id, verdict }: RestartAnswer): void {
    this.#questions.get(id)?.(verdict);
  }
}
