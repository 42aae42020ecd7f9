import { join } from 'node:path';
import { type CrashRecord, readCrashes } from '../../health/crash-records.ts';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import type { ModelsReport } from '../engines/models-report.ts';
import { cacheFor } from '../http/cache-for.ts';
import type { IsTrustedProxy } from '../http/client-address.ts';
import type { RequestFinished } from '../proxy/request-record.ts';
import { Assets } from './pages.ts';
import { isModelRequest, RecentRequests } from './request-views.ts';
import { Sessions } from './sessions.ts';
import { type SnapshotSources, takeSnapshot } from './snapshot.ts';
import { SseClients } from './sse-clients.ts';
import { StatsHistory } from './stats-history.ts';
import { StatsSampler } from './stats-sampler.ts';

const CRASHES_MAX_AGE = 5000;

export interface DashboardOptions extends SnapshotSources {
  /** The current keys; undefined if authentication is off. */
  readonly getKeyRing: () => KeyRing | undefined;
  readonly isTrusted: IsTrustedProxy;
  readonly getSupervisorStatus: () => Promise<SupervisorStatus | undefined>;
  /** Undefined with one model. */
  readonly reportModels: () => Promise<ModelsReport | undefined>;
  /** The folder in which the supervisor stores crash records, and the dashboard what outlasts a gateway. */
  readonly dataDir: string;
  /** The port of the gateway: others may share the folder. */
  readonly port: number;
  /** Whether there is a chat page. */
  readonly hasChat: boolean;
}

/** The state behind the dashboard's pages. */
export interface Dashboard {
  readonly assets: Assets;
  readonly sessions: Sessions;
  readonly clients: SseClients;
  readonly isTrusted: IsTrustedProxy;
  /** Whether everyone may see it, because authentication is off. */
  readonly isPublic: boolean;
  /** Whether there is a chat page. */
  readonly hasChat: boolean;
  readonly getLandingStatus: () => { readonly model: string | undefined; readonly status: string };
  readonly onRequestFinished: (event: RequestFinished) => void;
  /** Ends all event streams. */
  close(): Promise<void>;
}

export function createDashboard(options: DashboardOptions): Dashboard {
  const { models, scheduler, gate } = options;
  const history = new StatsHistory(join(options.dataDir, 'dashboard', `history-${options.port}`));
  const sampler = new StatsSampler(options, (sample) => history.add(sample));
  const restored = history.read().then((samples) => sampler.restore(samples));
  const recent = new RecentRequests();
  const sessions = new Sessions({
    ...{ getKeyRing: options.getKeyRing, identities: options.identities },
    file: join(options.dataDir, 'dashboard', 'sessions.json'),
  });
  const readLastCrash = cacheFor(CRASHES_MAX_AGE, () => findLastCrash(options.dataDir));
  const clients = new SseClients(collect, async () => {
    await restored;
    return { history: sampler.samples };
  });

  async function collect() {
    const [supervisor, report, crash] = await Promise.all([
      options.getSupervisorStatus(),
      options.reportModels(),
      readLastCrash(),
    ]);
    return {
      now: takeSnapshot(options, {
        ...{ supervisor, report, stats: sampler.samples.at(-1), drafts: sampler.drafts },
      }),
      recent: recent.all,
      crash,
    };
  }
  return {
    assets: new Assets(options.hasChat),
    hasChat: options.hasChat,
    sessions,
    clients,
    isTrusted: options.isTrusted,
    isPublic: options.getKeyRing() === undefined,
    getLandingStatus: () => ({
      model: models.public[0],
      status: scheduler.isDraining ? 'draining' : gate.status,
    }),
    onRequestFinished(event) {
      sampler.recordFinished(event.record);
      if (!isModelRequest(event)) return;
      sampler.recordOutcome(event.end.outcome);
      recent.add(event);
    },
    async close() {
      clients.close();
      sampler[Symbol.dispose]();
      await Promise.all([history.close(), sessions.flush()]);
    },
  };
}

/** The last crash of a child process, and the number of crashes on record. */
export interface LastCrash
  extends Pick<
    CrashRecord,
    'at' | 'who' | 'class' | 'cure' | 'code' | 'signal' | 'ranForMs' | 'tellingLine' | 'lastLines'
  > {
  readonly onRecord: number;
  /** When each process on record crashed, ms since 1970, newest first. */
  readonly crashes: readonly { readonly who: string; readonly at: number }[];
}

/** Null if there are no crash records. */
async function findLastCrash(dataDir: string): Promise<LastCrash | null> {
  const crashes = await readCrashes(dataDir);
  const [last] = crashes;
  if (last === undefined) return null;
  const { at, who, cure, code, signal, ranForMs, tellingLine, lastLines } = last;
  return {
    ...{ at, who, class: last.class, cure, code, signal, ranForMs, tellingLine, lastLines },
    onRecord: crashes.length,
    crashes: crashes.map((crash) => ({ who: crash.who, at: Date.parse(crash.at) })),
  };
}
