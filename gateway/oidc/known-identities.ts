import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { updateFile } from '../../fs/update-file.ts';
import { takeSnapshotSync } from '../../fs/watched-file.ts';
import type { ClaimsRule } from '../../keys/claims-rules.ts';
import { identityKey, rulesBySubject } from '../../keys/identity.ts';
import type { Key } from '../../keys/key.ts';
import type { Log } from '../../log/create-log.ts';
import { HOUR } from '../../settings/durations.ts';
import { BoundedMap } from '../bounded-map.ts';

/** Its name in `DATA_DIR`. It is written where a runner acts for identities. */
export const identitiesFileName = 'identities.json';

/** Longer than a batch may take (24 h): what an identity has begun with a valid token ends with the rights of that time. */
const REMEMBERED_MS = 25 * HOUR;
const MAX_IDENTITIES = 10_000;
/** Times on disk are behind by at most this much. */
const SEEN_STEP_MS = 0.25 * HOUR;
const WRITE_DELAY_MS = 500;
/** A sign-in waits no longer for a disk that hangs. */
const SAVE_TIMEOUT_MS = 2000;
/** The name of no rule. */
const NO_RULE = '';

interface KnownIdentity {
  readonly rule: string;
  /** When it last presented a valid token, ms since 1970. */
  seen: number;
  /** `seen` when it was last to be written. */
  written: number;
  /** The rule is on disk. */
  isSaved: boolean;
}

interface KnownIdentitiesOptions {
  readonly issuer: string;
  /** Undefined: they are kept in memory only. */
  readonly file: string | undefined;
  readonly rules: () => readonly ClaimsRule[];
  readonly log: Log;
}

const content = z.object({
  identities: z.record(z.string(), z.object({ rule: z.string(), seen: z.number() })),
});

/**
 * The identities that signed in lately, each with the rule that matched. For those who act for an identity while its token
 * may have expired: the runner, and a session of the dashboard. The rights are those that the rule gives now, or a rule
 * before it that names the subject; an identity whose rule is gone has none. Claims are not kept.
 */
export class KnownIdentities {
  readonly #options: KnownIdentitiesOptions;
  readonly #known = new BoundedMap<string, KnownIdentity>(MAX_IDENTITIES);
  #writing: Promise<void> = Promise.resolve();
  #isWriteQueued = false;
  #timer: NodeJS.Timeout | undefined;
  #subjects: { readonly of: readonly ClaimsRule[]; readonly rules: ReadonlyMap<string, number> } | undefined;

  constructor(options: KnownIdentitiesOptions) {
    this.#options = options;
    this.#read();
  }

  get ids(): Iterable<string> {
    return this.#known.keys();
  }

  latest(limit: number, now: number): LatestIdentities {
    return latestOf(this.#known, limit, now);
  }

  /** Returns whether the identity is new, or has another rule than before. */
  see(id: string, rule: string, now: number): boolean {
    const known = this.#known.get(id);
    if (known?.rule === rule) {
      known.seen = now;
      if (now - known.written > SEEN_STEP_MS) {
        // The newest are kept, by when they were last here.
        this.#known.set(id, known);
        this.#writeSoon(known, now);
      }
      return false;
    }
    const identity = { rule, seen: now, written: now, isSaved: this.#options.file === undefined };
    this.#known.set(id, identity);
    this.#writeSoon(identity, now);
    return true;
  }

  /** Its latest token gives no rights: those of an older one must not live on. */
  reject(id: string, now: number): void {
    if (this.#known.has(id)) this.see(id, NO_RULE, now);
  }

  /** The rights of an identity without its token, for 25 h after it last presented one. */
  find(id: string, now: number): Key | undefined {
    const known = this.#known.get(id);
    if (known === undefined || now >= known.seen + REMEMBERED_MS) return undefined;
    const rules = this.#options.rules();
    const last = rules.findIndex(({ name }) => name === known.rule);
    const rule = rules[Math.min(last, this.#ruleOfSubject(rules, id) ?? last)];
    return rule && identityKey(id, rule, known.seen + REMEMBERED_MS);
  }

  /** The first rule that names the subject of an identity, and nothing else: it matches all of its tokens. */
  #ruleOfSubject(rules: readonly ClaimsRule[], id: string): number | undefined {
    if (this.#subjects?.of !== rules)
      this.#subjects = { of: rules, rules: rulesBySubject(rules, this.#options.issuer) };
    return this.#subjects.rules.get(id);
  }

  /** Those that have rights. */
  *all(now: number): Iterable<Key> {
    for (const id of this.#known.keys()) {
      const key = this.find(id, now);
      if (key !== undefined) yield key;
    }
  }

  /**
   * Resolves when the rule of an identity is on disk, or cannot be written. Else a batch that it creates would fail if the
   * gateway was killed before.
   */
  async save(id: string): Promise<void> {
    if (this.#known.get(id)?.isSaved ?? true) return;
    this.#write();
    await Promise.race([this.#writing, sleep(SAVE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#write();
    await this.#writing;
  }

  #read(): void {
    const { file, log } = this.#options;
    if (file === undefined) return;
    try {
      const entries = [...parse(takeSnapshotSync(file)?.text ?? '')];
      // Those that were set last are kept.
      for (const [id, { rule, seen }] of entries.toSorted(([, a], [, b]) => a.seen - b.seen))
        this.#known.set(id, { rule, seen, written: seen, isSaved: true });
    } catch (error) {
      log.warn(`${file} cannot be read (${(error as Error).message}): batches of identities may end early`);
    }
  }

  #writeSoon(identity: KnownIdentity, now: number): void {
    identity.written = now;
    if (this.#options.file === undefined) return;
    this.#timer ??= setTimeout(() => this.#write(), WRITE_DELAY_MS).unref();
  }

  /** A write that waits for the one before includes the identities that come meanwhile. */
  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#options.file === undefined || this.#isWriteQueued) return;
    this.#isWriteQueued = true;
    this.#writing = this.#writing.then(() => this.#update(this.#options.file ?? ''));
  }

  async #update(file: string): Promise<void> {
    this.#isWriteQueued = false;
    const known = [...this.#known];
    try {
      await updateFile(file, (text) => format(merge(parse(text), known), Date.now()));
      for (const [, identity] of known) identity.isSaved = true;
    } catch (error) {
      this.#options.log.warn(`${file} cannot be written (${(error as Error).message})`);
    }
  }
}

/** The identities that signed in lately, the latest first. */
export interface LatestIdentities {
  /** How many there are. */
  readonly count: number;
  readonly latest: readonly {
    readonly id: string;
    /** The rule that gives it its rights; null: its latest token gave none. */
    readonly rule: string | null;
    /** When it last presented a valid token, ms since 1970. */
    readonly seen: number;
  }[];
}

/** The identities that a gateway has written; none if there is no file. */
export function readLatestIdentities(file: string, limit: number, now: number): LatestIdentities {
  return latestOf(parse(takeSnapshotSync(file)?.text ?? ''), limit, now);
}

function latestOf(entries: Entries, limit: number, now: number): LatestIdentities {
  const all = [...entries].filter(([, { seen }]) => now < seen + REMEMBERED_MS);
  const latest = all
    .toSorted(([, a], [, b]) => b.seen - a.seen)
    .slice(0, limit)
    .map(([id, { rule, seen }]) => ({ id, rule: rule === NO_RULE ? null : rule, seen }));
  return { count: all.length, latest };
}

type Entries = Iterable<readonly [string, Pick<KnownIdentity, 'rule' | 'seen'>]>;

/** An unreadable file is as good as none. */
function parse(text: string): Entries {
  try {
    return Object.entries(content.parse(JSON.parse(text)).identities);
  } catch {
    return [];
  }
}

/** Several gateways may share a data folder. */
function merge(onDisk: Entries, known: Entries): Entries {
  const merged = new Map(onDisk);
  for (const [id, one] of known) if (one.seen >= (merged.get(id)?.seen ?? 0)) merged.set(id, one);
  return merged;
}

function format(entries: Entries, now: number): string {
  const current = [...entries]
    .filter(([, { seen }]) => now < seen + REMEMBERED_MS)
    .toSorted(([, a], [, b]) => b.seen - a.seen)
    .slice(0, MAX_IDENTITIES)
    .map(([id, { rule, seen }]) => [id, { rule, seen }] as const);
  return `${JSON.stringify({ version: 1, identities: Object.fromEntries(current) })}\n`;
}
