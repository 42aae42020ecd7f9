import type { KeyRing } from '../../keys/key-ring.ts';
import type { IsTrusted } from '../door/client-address.ts';
import type { Finished } from '../metrics/traffic.ts';
import { Assets } from './assets.ts';
import { lookAtHouse } from './house-sight.ts';
import { findLastCrash } from './last-crash.ts';
import { Pulse } from './pulse.ts';
import { RecentRequests } from './recent-requests.ts';
import { Sessions } from './sessions.ts';
import { type Owners, takeSnapshot } from './snapshot.ts';
import { Watchers } from './watchers.ts';

export interface DashboardParts extends Owners {
  /** The keys of the moment; undefined where authentication is off. */
  readonly ring: () => KeyRing | undefined;
  readonly isTrusted: IsTrusted;
  /** Of the supervisor; undefined where there is none. */
  readonly healthUrl: string | undefined;
  /** Where the supervisor leaves the crashes. */
  readonly dataDir: string;
}

/** What the pages of the dashboard show, and who may see it. */
export interface Dashboard {
  readonly assets: Assets;
  readonly sessions: Sessions;
  readonly watchers: Watchers;
  readonly isTrusted: IsTrusted;
  /** Whether anybody may look: where authentication is off. */
  readonly isOpen: boolean;
  readonly landing: () => { readonly model: string | undefined; readonly standing: string };
  /** To be called when a request is over. */
  note(finished: Finished): void;
  /** Ends what watches. */
  close(): void;
}

export function openDashboard(parts: DashboardParts): Dashboard {
  const pulse = new Pulse(parts);
  const recent = new RecentRequests();
  const findHouse = lookAtHouse(parts.healthUrl);
  const findCrash = findLastCrash(parts.dataDir);
  const watchers = new Watchers(look, () => ({ history: pulse.points }));

  async function look() {
    const [house, crash] = await Promise.all([findHouse(), findCrash()]);
    return {
      now: takeSnapshot(parts, { house, pulse: pulse.points.at(-1) }),
      recent: recent.all,
      crash,
    };
  }
  return {
    assets: new Assets(),
    sessions: new Sessions(parts.ring),
    watchers,
    isTrusted: parts.isTrusted,
    isOpen: parts.ring() === undefined,
    landing: () => ({
      model: parts.models.public[0],
      standing: parts.admission.isDraining ? 'draining' : parts.gate.standing,
    }),
    note(finished) {
      pulse.finish(finished.record);
      recent.add(finished);
    },
    close() {
      watchers.close();
      pulse[Symbol.dispose]();
    },
  };
}
