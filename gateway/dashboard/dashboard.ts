import type { KeyRing } from '../../keys/key-ring.ts';
import type { IsTrustedProxy } from '../http/client-address.ts';
import type { RequestFinished } from '../proxy/request-events.ts';
import { Assets } from './assets.ts';
import { createLastCrashReader } from './last-crash.ts';
import { RecentRequests } from './recent-requests.ts';
import { Sessions } from './sessions.ts';
import { type SnapshotSources, takeSnapshot } from './snapshot.ts';
import { SseClients } from './sse-clients.ts';
import { StatsSampler } from './stats-sampler.ts';
import { createSystemReader } from './system-view.ts';

export interface DashboardOptions extends SnapshotSources {
  /** The keys of the moment; undefined where authentication is off. */
  readonly ring: () => KeyRing | undefined;
  readonly isTrusted: IsTrustedProxy;
  /** Of the supervisor; undefined where there is none. */
  readonly healthUrl: string | undefined;
  /** Where the supervisor leaves the crashes. */
  readonly dataDir: string;
}

/** What the pages of the dashboard show, and who may see it. */
export interface Dashboard {
  readonly assets: Assets;
  readonly sessions: Sessions;
  readonly clients: SseClients;
  readonly isTrusted: IsTrustedProxy;
  /** Whether anybody may look: where authentication is off. */
  readonly isOpen: boolean;
  readonly landing: () => { readonly model: string | undefined; readonly standing: string };
  /** To be called when a request is over. */
  onRequestFinished(finished: RequestFinished): void;
  /** Ends what watches. */
  close(): void;
}

export function createDashboard(parts: DashboardOptions): Dashboard {
  const pulse = new StatsSampler(parts);
  const recent = new RecentRequests();
  const findHouse = createSystemReader(parts.healthUrl);
  const findCrash = createLastCrashReader(parts.dataDir);
  const watchers = new SseClients(look, () => ({ history: pulse.samples }));

  async function look() {
    const [house, crash] = await Promise.all([findHouse(), findCrash()]);
    return {
      now: takeSnapshot(parts, { house, pulse: pulse.samples.at(-1) }),
      recent: recent.all,
      crash,
    };
  }
  return {
    assets: new Assets(),
    sessions: new Sessions(parts.ring),
    clients: watchers,
    isTrusted: parts.isTrusted,
    isOpen: parts.ring() === undefined,
    landing: () => ({
      model: parts.models.public[0],
      standing: parts.admission.isDraining ? 'draining' : parts.gate.status,
    }),
    onRequestFinished(finished) {
      pulse.recordFinished(finished.record);
      recent.add(finished);
    },
    close() {
      watchers.close();
      pulse[Symbol.dispose]();
    },
  };
}
