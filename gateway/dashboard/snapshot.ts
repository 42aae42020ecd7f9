import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { Gpus } from '../gpu/gpus.ts';
import type { RecentTokenCost, TokenCost } from '../gpu/token-cost.ts';
import type { ModelNames } from '../models/model-names.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import type { CapacityGate } from '../scheduler/capacity-gate.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { UsageLedger } from '../usage/usage-ledger.ts';
import { type KeyUsageView, topKeys } from './key-usage.ts';
import { describeOpenRequest, groupByLane, type LaneView, type OpenRequest } from './open-requests.ts';
import type { StatsSample } from './stats-sampler.ts';
import type { SystemView } from './system-view.ts';

/** Who is asked, once a second and only while somebody watches. */
export interface SnapshotSources {
  readonly watch: Pick<BackendMonitor, 'since' | 'props' | 'keyRejected'>;
  readonly gate: Pick<CapacityGate, 'status'>;
  readonly admission: Pick<Scheduler, 'counts' | 'isDraining'>;
  readonly maxWaiting: number;
  readonly models: Pick<ModelNames, 'public'>;
  readonly live: Pick<LiveRequests, 'records'>;
  /** Undefined where authentication is off. */
  readonly keys: Pick<KeyStore, 'ring' | 'problem'> | undefined;
  readonly ledger: Pick<UsageLedger, 'today' | 'problem'>;
  readonly gpus: Pick<Gpus, 'samples' | 'troubleMessage'>;
  readonly recentWork: Pick<RecentTokenCost, 'overall' | 'byKey'>;
  readonly costPerHour: number | undefined;
}

/** More requests under way than a page could show. */
const MOST_OPEN = 50;

/** All that the dashboard shows of one moment, but for what seldom changes. Times are ms since 1970. */
export interface Snapshot {
  readonly at: number;
  readonly startedAt: number;
  readonly version: string;
  readonly standing: string;
  /** Of the backend. */
  readonly since: number;
  readonly sleeping: boolean;
  readonly model: {
    readonly name: string | null;
    readonly context: number | null;
    readonly engine: string | null;
  };
  /** Null where the gateway runs alone. */
  readonly house: SystemView | null;
  readonly slots: { readonly total: number; readonly busy: number };
  readonly line: { readonly waiting: number; readonly most: number };
  readonly lanes: readonly LaneView[];
  /** The oldest first, and not more than fifty. */
  readonly open: readonly OpenRequest[];
  /** Null where authentication is off. */
  readonly keys: readonly KeyUsageView[] | null;
  readonly gpus: readonly GpuSample[];
  /** Why figures of GPUs are missing, in words. */
  readonly gpuTrouble: string | null;
  readonly costPerHour: number | null;
  readonly price: TokenCost;
  /** What an operator has to mend. */
  readonly problems: readonly string[];
  readonly pulse: StatsSample | undefined;
}

const startedAt = Date.now() - performance.now();

export function takeSnapshot(
  owners: SnapshotSources,
  { house, pulse }: { readonly house: SystemView | undefined; readonly pulse: StatsSample | undefined },
): Snapshot {
  const { watch, gate, admission, models, gpus, recentWork, costPerHour } = owners;
  const { capacity, leased, waiting } = admission.counts;
  const standing = admission.isDraining ? 'draining' : gate.status;
  return {
    ...{ at: Date.now(), startedAt, version: packageFile.version, pulse },
    ...{ standing, since: watch.since, house: house ?? null },
    sleeping: standing === 'ready' && watch.props?.sleeping === true,
    model: {
      name: models.public[0] ?? null,
      context: watch.props?.contextPerSlot ?? null,
      engine: watch.props?.buildInfo ?? null,
    },
    slots: { total: capacity, busy: leased },
    line: { waiting, most: owners.maxWaiting },
    ...whatIsOpen(owners),
    keys: keysOf(owners),
    gpus: gpus.samples,
    gpuTrouble: gpus.troubleMessage ?? null,
    costPerHour: costPerHour ?? null,
    price: recentWork.overall,
    problems: problemsOf(owners),
  };
}

function whatIsOpen({ live, keys }: SnapshotSources): Pick<Snapshot, 'open' | 'lanes'> {
  const now = performance.now();
  const open = live.records.map((record) => describeOpenRequest(record, now));
  return { open: open.slice(0, MOST_OPEN), lanes: groupByLane(open, keys?.ring.keys ?? []) };
}

function keysOf({ keys, ledger, recentWork, costPerHour }: SnapshotSources): KeyUsageView[] | null {
  if (keys === undefined) return null;
  const now = Date.now();
  const today = (keyId: string) => ledger.today(keyId, now);
  return topKeys({ keys: keys.ring.keys, today, prices: recentWork.byKey, costPerHour, now });
}

function problemsOf({ watch, keys, ledger }: SnapshotSources): string[] {
  const all = [
    watch.keyRejected ? 'The backend refuses our key: BACKEND_API_KEY is wrong.' : undefined,
    keys?.problem === undefined ? undefined : `${keys.problem}; the keys loaded before remain valid.`,
    ledger.problem === undefined ? undefined : `Usage cannot be written down: ${ledger.problem}.`,
  ];
  return all.filter((problem) => problem !== undefined);
}
