import { styleText } from 'node:util';
import { Command } from 'commander';
import { findModel } from '../../models/edit-registry.ts';
import type { ModelRecord, Registry } from '../../models/registry.ts';
import type { RegistryDocument, WrittenAlias } from '../../models/registry-document.ts';
import { readRegistryFile } from '../../models/registry-file.ts';
import { formatDuration } from '../../settings/durations.ts';
import { formatBytes } from '../../settings/sizes.ts';
import type { Settings } from '../../settings/variables.ts';
import { type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { jsonOption } from '../options.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';
import { formatTargets } from './alias.ts';
import { estimatedMemory } from './estimated-memory.ts';
import { type LiveModel, readLiveModels } from './live-models.ts';
import { type FileOptions, fileOption, type ModelsPlace, resolvePlace } from './options.ts';

interface ListOptions extends FileOptions, GatewayOptions {}

const examples = `
Examples:
  corral models list
  corral models list --key-file admin.key          with the status of the running deployment
  corral models list --json | jq -r '.models[] | select(.pin) | .id'

STATUS is unloaded, loading, loaded, sleeping or failed; it needs a key with the scope admin, in --key-file or
CORRAL_API_KEY. MEMORY is what the model takes, or about what it would take (~).`;

export function listCommand(): Command {
  const command = new Command('list').alias('ls').description('list all models and aliases');
  for (const option of [fileOption(), ...gatewayOptions('admin'), jsonOption()]) command.addOption(option);
  return command.addHelpText('after', examples).action(list);
}

async function list(options: ListOptions): Promise<void> {
  const place = resolvePlace(options.file);
  const { registry, document } = await readRegistryFile(place.file, place.modelsDir);
  const live = await liveModels(options);
  if (options.json) {
    const models = document.models.map((model) => ({ ...model, live: live?.get(model.id) ?? null }));
    return writeJson({ models, aliases: document.aliases });
  }
  const rows = registry.models.map((model) => listRow(model, live?.get(model.id), place));
  if (rows.length > 0) writeStdout(align([heading, ...rows]));
  if (document.aliases.length > 0)
    writeStdout(`\n${align([aliasHeading, ...document.aliases.map(aliasRow)])}`);
  writeStderr(summary(registry, place.file));
}

/** Undefined if no key is given, or the gateway cannot tell; the reason is printed. */
async function liveModels(options: ListOptions): Promise<ReadonlyMap<string, LiveModel> | undefined> {
  const isAsked = options.gateway ?? options.keyFile ?? process.env.CORRAL_API_KEY;
  if (!isAsked) return undefined;
  try {
    return await readLiveModels(options);
  } catch (error) {
    writeStderr(`The status is unknown: ${(error as Error).message}`);
    return undefined;
  }
}

const heading = ['ID', 'KIND', 'STATUS', 'MEMORY', 'PIN', 'SOURCE'];
const aliasHeading = ['ALIAS', 'MODELS', 'BEFORE'];

function listRow(model: ModelRecord, live: LiveModel | undefined, place: ModelsPlace): string[] {
  return [
    model.id,
    model.kind,
    formatStatus(live),
    formatMemory(model, live, place),
    model.pin ? 'yes' : '-',
    formatSource(model),
  ];
}

const aliasRow = ({ name, targets, previous }: WrittenAlias) => [
  name,
  formatTargets(targets),
  previous ? formatTargets(previous) : '-',
];

function formatStatus(live: LiveModel | undefined): string {
  if (live === undefined) return '-';
  const { status, loadProgress, failure } = live;
  if (status === 'failed') return styleText('red', failure ? `failed (${failure})` : 'failed');
  return loadProgress ? `${status} ${Math.floor(loadProgress * 100)} %` : status;
}

function formatMemory(model: ModelRecord, live: LiveModel | undefined, place: ModelsPlace): string {
  if (live?.memory && live.status === 'loaded') return formatBytes(live.memory);
  if (model.limits.memory !== undefined) return formatBytes(model.limits.memory * model.replicas);
  const estimate = estimatedMemory(model, place.settings);
  return typeof estimate === 'string' ? '-' : `~${formatBytes(estimate.total * model.replicas)}`;
}

/** Where a model comes from: its file, repository, URL or backends. */
export function formatSource({ source }: Pick<ModelRecord, 'source'>): string {
  if (source.kind === 'file') return source.path;
  if (source.kind === 'hugging-face') return source.repo;
  return source.kind === 'url' ? source.url : source.backends.map(({ url }) => url).join(', ');
}

function summary({ models, aliases }: Registry, file: string): string {
  if (models.length === 0)
    return `No models in ${file}. Add one with "corral models add ID --model-file NAME".`;
  const count = (many: number, one: string, more: string) => `${many} ${many === 1 ? one : more}`;
  return `${count(models.length, 'model', 'models')} and ${count(aliases.length, 'alias', 'aliases')} in ${file}`;
}

export function showCommand(): Command {
  const command = new Command('show').description('show one model').argument('<id>', 'id of the model');
  for (const option of [fileOption(), ...gatewayOptions('admin'), jsonOption()]) command.addOption(option);
  return command
    .addHelpText('after', '\nExamples:\n  corral models show qwen3-8b\n  corral models show qwen3-8b --json')
    .action(show);
}

async function show(id: string, options: ListOptions): Promise<void> {
  const place = resolvePlace(options.file);
  const { registry, document } = await readRegistryFile(place.file, place.modelsDir);
  const written = findModel(document, id);
  const model = registry.models.find((one) => one.id === id);
  const live = (await liveModels(options))?.get(id);
  if (options.json) return writeJson({ ...written, live: live ?? null });
  if (model) writeStdout(align(detailRows(model, { live, place, document })));
}

interface Details {
  readonly live: LiveModel | undefined;
  readonly place: ModelsPlace;
  readonly document: RegistryDocument;
}

function detailRows(model: ModelRecord, { live, place, document }: Details): string[][] {
  const { settings } = place;
  const aliases = document.aliases.filter(({ targets }) =>
    targets.some((target) => target.model === model.id),
  );
  const fromVariable = (value: unknown, variable: 'CTX' | 'PARALLEL' | 'NGL') =>
    String(value ?? `${settings[variable]} (${variable})`);
  const rows: [string, string][] = [
    ['id', model.id],
    ['kind', model.kind],
    ['status', formatStatus(live)],
    ['source', formatSource(model)],
  ];
  if (model.source.kind !== 'backends')
    rows.push(
      ['ctx', fromVariable(model.ctx, 'CTX')],
      ['parallel', fromVariable(model.parallel, 'PARALLEL')],
      ['ngl', fromVariable(model.ngl, 'NGL')],
      ['args', model.args.join(' ') || '-'],
      ['replicas', String(model.replicas)],
      ['devices', model.devices?.join(', ') ?? 'all'],
      ['pin', model.pin ? 'yes' : 'no'],
      ['ttl', model.ttl === undefined ? 'never' : formatDuration(model.ttl)],
      ['memory', live?.memory ? formatBytes(live.memory) : formatNeed(model, settings)],
    );
  return [
    ...rows,
    ['aliases', aliases.map(({ name }) => name).join(', ') || '-'],
    ['listed', model.listed ? 'yes' : 'no'],
    ['defaults', Object.keys(model.defaults).length > 0 ? JSON.stringify(model.defaults) : '-'],
  ];
}

function formatNeed(model: ModelRecord, settings: Settings): string {
  const { memory } = model.limits;
  if (memory !== undefined) return `${formatBytes(memory)} for each engine (limits.memory)`;
  const estimate = estimatedMemory(model, settings);
  if (typeof estimate === 'string') return estimate;
  const { total, weights, kvCache, compute, contextTokens } = estimate;
  const parts = `weights ${formatBytes(weights)}, KV cache ${formatBytes(kvCache)} for ${contextTokens} tokens, compute buffers ${formatBytes(compute)}`;
  return `about ${formatBytes(total)} for each engine (${parts})`;
}
