import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import type { Key } from '../../keys/key.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import type { GpuTrouble } from '../../nvidia-smi-parser/gpu-trouble.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { DraftUsage, UsageSums } from '../api/usage.ts';
import type { ModelsReport } from '../engines/models-report.ts';
import type { ModelNames } from '../models/model-names.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import type { CapacityGate } from '../scheduler/capacity-gate.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { type BatchRows, describeBatches, type StoreReading } from './batch-rows.ts';
import { type KeyUsageView, topKeys } from './key-rows.ts';
import { describeModels, type ModelCosts, type ModelRows } from './model-rows.ts';
import { describeOpenRequest, groupByLane, type LaneView, type OpenRequest } from './request-views.ts';
import type { Identities } from './sessions.ts';
import type { StatsSample } from './stats-sampler.ts';

/** The cost of a token; undefined where it is unknown. */
export interface TokenCost {
  readonly joulesPerOutputToken: number | undefined;
  readonly joulesPerToken: number | undefined;
  readonly costPerMillionOutputTokens: number | undefined;
  readonly costPerMillionTokens: number | undefined;
}

/** The components shown on the dashboard. They are read once per second, and only while a page is open. */
export interface SnapshotSources {
  readonly backendMonitor: Pick<BackendMonitor, 'since' | 'props' | 'keyRejected'>;
  readonly gate: Pick<CapacityGate, 'status'>;
  readonly scheduler: Pick<Scheduler, 'counts' | 'isDraining'>;
  readonly maxWaiting: number;
  readonly models: Pick<ModelNames, 'public'>;
  readonly liveRequests: Pick<LiveRequests, 'records'>;
  /** Undefined if authentication is off. */
  readonly keys: Pick<KeyStore, 'ring' | 'problem'> | undefined;
  /** The identities that sign in with tokens; undefined where tokens are not accepted. */
  readonly identities?: Identities | undefined;
  readonly ledger: {
    /** Why usage cannot be written; undefined if it can. */
    readonly problem: string | undefined;
    /** The usage of a key since midnight UTC. */
    today(keyId: string, now: number): Readonly<UsageSums>;
    seen(keyId: string): { readonly lastUsed: number } | undefined;
  };
  readonly gpus: {
    readonly samples: readonly GpuSample[];
    /** Why samples are missing. */
    readonly trouble: GpuTrouble | undefined;
    readonly troubleMessage: string | undefined;
  };
  readonly tokenCost: ModelCosts & {
    readonly overall: TokenCost;
    readonly byKey: ReadonlyMap<string, TokenCost>;
  };
  readonly costPerHour: number | undefined;
  /** Returns undefined while the store cannot be read. Undefined unless `STORE=on`. */
  readonly readBatches: (() => StoreReading | undefined) | undefined;
}

const MAX_OPEN = 50;

/** The current state as the dashboard shows it, without what rarely changes. Times are ms since 1970. */
export interface Snapshot {
  readonly at: number;
  readonly startedAt: number;
  readonly version: string;
  readonly standing: string;
  /** When the status of the backend last changed. */
  readonly since: number;
  readonly sleeping: boolean;
  readonly model: {
    readonly name: string | null;
    readonly context: number | null;
    readonly engine: string | null;
  };
  /** Null if the gateway runs without a supervisor. */
  readonly supervisor: Pick<SupervisorStatus, 'boot' | 'restarts'> | null;
  readonly slots: { readonly total: number; readonly busy: number };
  readonly queue: { readonly waiting: number; readonly limit: number };
  /** Null with one model. */
  readonly models: ModelRows | null;
  /** Null without a store, and while it cannot be read. */
  readonly batches: BatchRows | null;
  readonly lanes: readonly LaneView[];
  /** Oldest first, at most fifty. */
  readonly open: readonly OpenRequest[];
  /** Null if authentication is off. */
  readonly keys: readonly KeyUsageView[] | null;
  /** The number of all keys, used or not. */
  readonly keyCount: number;
  readonly gpus: readonly GpuSample[];
  /** Why GPU metrics are missing, for the operator. */
  readonly gpuTrouble: string | null;
  readonly costPerHour: number | null;
  readonly price: TokenCost;
  /** What the operator has to fix. */
  readonly problems: readonly string[];
  readonly stats: StatsSample | undefined;
  /** What speculative decoding has done since the gateway started; null if nothing. */
  readonly drafts: DraftUsage | null;
}

/** What has to be waited for before a snapshot is taken. */
export interface SnapshotReadings {
  readonly supervisor: SupervisorStatus | undefined;
  /** Undefined with one model. */
  readonly report: ModelsReport | undefined;
  readonly stats: StatsSample | undefined;
  readonly drafts?: DraftUsage | undefined;
}

const startedAt = Date.now() - performance.now();

export function takeSnapshot(
  sources: SnapshotSources,
  { supervisor, report, stats, drafts }: SnapshotReadings,
): Snapshot {
  const { backendMonitor, gate, scheduler, models, gpus, tokenCost, costPerHour } = sources;
  const { capacity, leased, waiting } = scheduler.counts;
  const status = scheduler.isDraining ? 'draining' : gate.status;
  return {
    ...{ at: Date.now(), startedAt, version: packageFile.version, stats, drafts: drafts ?? null },
    ...{ standing: status, since: backendMonitor.since },
    sleeping: status === 'ready' && backendMonitor.props?.sleeping === true,
    model: {
      name: models.public[0] ?? null,
      context: backendMonitor.props?.contextPerSlot ?? null,
      engine: backendMonitor.props?.buildInfo ?? null,
    },
    supervisor: supervisor ? { boot: supervisor.boot, restarts: supervisor.restarts } : null,
    slots: { total: capacity, busy: leased },
    queue: { waiting, limit: sources.maxWaiting },
    ...describeOpenRequests(sources, report),
    batches: readBatches(sources, supervisor),
    keys: describeKeys(sources),
    keyCount: sources.keys?.ring.keys.length ?? 0,
    gpus: gpus.samples,
    // A machine without nvidia-smi has no trouble.
    gpuTrouble: gpus.trouble === 'absent' ? null : (gpus.troubleMessage ?? null),
    costPerHour: costPerHour ?? null,
    price: tokenCost.overall,
    problems: findProblems(sources, report?.problem ?? undefined),
  };
}

function describeOpenRequests(
  { liveRequests, keys, identities, tokenCost }: SnapshotSources,
  report: ModelsReport | undefined,
): Pick<Snapshot, 'open' | 'lanes' | 'models'> {
  const now = performance.now();
  const open = liveRequests.records.map((record) => describeOpenRequest(record, now));
  return {
    open: open.slice(0, MAX_OPEN),
    lanes: groupByLane(open, [...(keys?.ring.keys ?? []), ...identitiesOf(open, identities)]),
    models: report ? describeModels(report, open, tokenCost) : null,
  };
}

function readBatches({ readBatches }: SnapshotSources, supervisor: SupervisorStatus | undefined) {
  const reading = readBatches?.();
  return reading === undefined ? null : describeBatches(reading, supervisor?.runnerUp);
}

/** The identities with open requests. */
function identitiesOf(open: readonly OpenRequest[], identities: Identities | undefined): Key[] {
  if (identities === undefined) return [];
  const now = Date.now();
  return open.flatMap(({ key }) => (key === null ? [] : (identities.find(key, now) ?? [])));
}

function describeKeys({
  keys,
  identities,
  ledger,
  tokenCost,
  costPerHour,
}: SnapshotSources): KeyUsageView[] | null {
  if (keys === undefined) return null;
  const now = Date.now();
  const today = (keyId: string) => ledger.today(keyId, now);
  const used = [...(identities?.ids ?? [])].filter((id) => today(id).requests > 0);
  const seen = (keyId: string) => ledger.seen(keyId);
  return topKeys({
    keys: keys.ring.keys,
    identities: used.flatMap((id) => identities?.find(id, now) ?? []),
    ...{ today, seen, costByKey: tokenCost.byKey, costPerHour, now },
  });
}

function findProblems(
  { backendMonitor, keys, ledger }: SnapshotSources,
  modelsProblem: string | undefined,
): string[] {
  const problems = [
    backendMonitor.keyRejected
      ? 'The backend rejects the API key of this gateway: BACKEND_API_KEY is wrong.'
      : undefined,
    keys?.problem === undefined ? undefined : `${keys.problem}; the previous keys remain in effect.`,
    modelsProblem && `${modelsProblem}; the models loaded before stay in use.`,
    ledger.problem === undefined
      ? undefined
      : `Cannot write the usage ledger (${ledger.problem}): usage is kept in memory.`,
  ];
  return problems.filter((problem) => problem !== undefined);
}
