import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import type { Key } from '../../keys/key.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { toRecord } from '../../keys/keys-json.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { formatAgo, formatTime } from '../format-values.ts';
import { jsonOption } from '../options.ts';
import { align, writeJson, writeStderr, writeStdout, writeTable } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { findFileKey } from './find-key.ts';
import { formatStatus, previousSecretLastUsed } from './format-key.ts';
import { formatLimit, formatLimits, formatUserLimits, limitOptions } from './format-limits.ts';
import { findIdentities, showIdentities } from './identities.ts';
import { lastSeen, ledgerOption, resolveLedger } from './ledger.ts';
import { fileOption, maxKeyAgeMs, resolveKeyFile } from './options.ts';

const examples = `
Examples:
  corral keys list
  corral keys list --json | jq -r '.[] | select(.state == "active") | .id'

STATUS is active, disabled or expired. It also shows an expiry within the next 14 days, how long the old secret works
after a rotation and when it was last used, and the age of a secret older than KEY_MAX_AGE_DAYS.
LAST USED is read from the usage ledger.`;

export function listCommand(): Command {
  return new Command('list')
    .description('list all keys with their status')
    .alias('ls')
    .addOption(fileOption())
    .addOption(ledgerOption())
    .option('--identities', 'list those that signed in with tokens instead')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(list);
}

interface ListOptions {
  readonly file?: string;
  readonly ledger?: string;
  readonly identities?: true;
  readonly json?: true;
}

async function list(options: ListOptions): Promise<void> {
  const file = resolveKeyFile(options.file);
  if (options.file !== undefined && !existsSync(file)) throw new UsageError(`--file ${file} does not exist`);
  const { keys, warnings } = await readKeyFile(file);
  const now = Date.now();
  for (const warning of warnings) writeStderr(warning);
  const seen = lastSeen(resolveLedger(options.ledger));
  const ids = keys.map(({ id }) => id);
  const identities = findIdentities(seen, ids, now);
  if (options.identities) return showIdentities(identities, options.json ?? false, now);
  if (options.json) return writeJson(keys.map((key) => keyWithUsage(key, now, seen.get(key.id))));
  if (keys.length > 0) writeTable([heading, ...keys.map((key) => listRow(key, now, seen.get(key.id)))]);
  writeStderr(summary(keys, file, now));
  if (identities.count > 0)
    writeStderr(`${identities.count} more signed in with tokens: corral keys list --identities`);
}

/** A key as `--json` prints it: its record and its status. */
export function keyWithState(key: Key, now: number): Record<string, unknown> {
  const { state, expiresSoon, secretIsOld, rotatingUntil } = getKeyStatus(key, now, maxKeyAgeMs());
  return { ...toRecord(key), state, expiresSoon, secretIsOld, rotating: rotatingUntil !== undefined };
}

/** The same with the time of last use from the ledger. */
function keyWithUsage(key: Key, now: number, seen: KeySeen | undefined): Record<string, unknown> {
  return {
    ...keyWithState(key, now),
    lastUsed: isoTime(seen?.lastUsed),
    oldSecretLastUsed: isoTime(previousSecretLastUsed(key, seen, now)),
  };
}

const isoTime = (moment: number | undefined) =>
  moment === undefined ? null : new Date(moment).toISOString();

const heading = ['ID', 'HINT', 'STATUS', 'SCOPES', 'LIMITS', 'CREATED', 'EXPIRES', 'LAST USED'];

function listRow(key: Key, now: number, seen: KeySeen | undefined): string[] {
  return [
    key.id,
    key.hint,
    formatStatus(key, now, { seen, maxAgeMs: maxKeyAgeMs() }),
    key.scopes.join(','),
    formatLimits(key, now),
    formatTime(key.created, '-'),
    formatTime(key.expires, 'never'),
    seen ? formatAgo(seen.lastUsed, now) : '-',
  ];
}

function summary(keys: readonly Key[], file: string, now: number): string {
  if (keys.length === 0) return `No keys in ${file}. Create one with "corral keys create ID".`;
  const ending = keys.filter((key) => getKeyStatus(key, now).expiresSoon).length;
  const count = keys.length === 1 ? '1 key' : `${keys.length} keys`;
  const hasDefaults = keys.some((key) => formatLimits(key, now) === '-');
  const { MAX_REQUESTS_PER_MINUTE: rpm } = readSettings(process.env).settings;
  const defaults = rpm > 0 ? `${rpm} requests/min` : 'none';
  return [
    `${count} in ${file}`,
    ...(ending > 0 ? [`${ending} expiring within 14 days`] : []),
    ...(hasDefaults ? [`- in LIMITS: the default limit, ${defaults} here (MAX_REQUESTS_PER_MINUTE)`] : []),
  ].join('; ');
}

export function showCommand(): Command {
  return new Command('show')
    .description('show the details of one key (its secret is not stored)')
    .argument('<id>', 'id of the key')
    .addOption(fileOption())
    .addOption(ledgerOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  corral keys show app\n  corral keys show app --json')
    .action(show);
}

interface ShowOptions {
  readonly file?: string;
  readonly ledger?: string;
  readonly json?: true;
}

async function show(id: string, options: ShowOptions): Promise<void> {
  const { keys, warnings } = await readKeyFile(resolveKeyFile(options.file));
  for (const warning of warnings) writeStderr(warning);
  const key = findFileKey(keys, id);
  const now = Date.now();
  const seen = lastSeen(resolveLedger(options.ledger)).get(key.id);
  if (options.json) writeJson(keyWithUsage(key, now, seen));
  else writeStdout(align(detailRows(key, now, seen)));
}

function detailRows(key: Key, now: number, seen: KeySeen | undefined): string[][] {
  return [
    ['id', key.id],
    ['status', formatStatus(key, now, { seen, maxAgeMs: maxKeyAgeMs() })],
    ['secret', `${key.hint} (${key.fingerprint})`],
    ['scopes', key.scopes.join(', ') || 'none'],
    ['models', key.models.includes('*') ? 'all' : key.models.join(', ')],
    ['priority', key.priority],
    ['limits', formatLimits(key, now).replace(/^-$/, 'the defaults')],
    ...(key.usersFrom === null
      ? []
      : [
          ['users', `told apart by ${key.usersFrom}`],
          ['user limits', formatUserLimits(key, now)],
        ]),
    ...laterLimits(key, now),
    ['created', formatTime(key.created, 'unknown')],
    ['expires', formatTime(key.expires, 'never')],
    ['last used', seen ? `${formatTime(seen.lastUsed, '')} (${formatAgo(seen.lastUsed, now)})` : '-'],
    ['note', key.note || '-'],
  ];
}

/** What follows when temporary limits end. */
function laterLimits(key: Key, now: number): string[][] {
  const rows = (['limits', 'userLimits'] as const).flatMap((of) =>
    limitOptions.map(({ name, unit }) => [
      of === 'limits' ? unit : `user ${unit}`,
      formatLimit(key, of, name, now),
    ]),
  );
  return rows.filter(([, text]) => text?.includes(', then '));
}
