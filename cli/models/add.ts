import { Command, InvalidArgumentError, Option } from 'commander';
import { addModel, findModel, removeModel, setPin } from '../../models/edit-registry.ts';
import { modelKinds, speculationChoices } from '../../models/registry.ts';
import type { WrittenModel } from '../../models/registry-document.ts';
import { readRegistryFile } from '../../models/registry-file.ts';
import { confirm } from '../confirm.ts';
import { jsonOption, nameList } from '../options.ts';
import { writeJson, writeStderr } from '../output.ts';
import { type FileOptions, fileOption, resolvePlace, updateModels } from './options.ts';

const examples = `
Examples:
  corral models add qwen3-8b --model-file Qwen3-8B-Q4_K_M.gguf --ctx 16384 --parallel 4
  corral models add qwen3-8b --hf Qwen/Qwen3-8B-GGUF:Q4_K_M --pin
  corral models add bge-m3 --path /srv/models/bge-m3.gguf --kind embeddings --ttl 10m
  corral models add far --backend http://10.0.0.5:8080 --backend http://10.0.0.6:8080
  corral models add calm --model-file m.gguf --default temperature=0.2 --default 'chat_template_kwargs={"enable_thinking":false}'

Sizes, durations and numbers have the syntax of the variables. What is not given is left to the variables.`;

interface AddOptions extends FileOptions {
  readonly modelFile?: string;
  readonly path?: string;
  readonly hf?: string;
  readonly url?: string;
  readonly backend?: readonly string[];
  readonly kind?: string;
  readonly ctx?: string | number;
  readonly parallel?: string | number;
  readonly ngl?: string | number;
  readonly args?: string;
  readonly mmproj?: string;
  readonly draft?: string;
  readonly adapter?: Readonly<Record<string, string>>;
  readonly speculate?: string;
  readonly devices?: readonly string[];
  readonly replicas?: string | number;
  readonly pin?: true;
  readonly ttl?: string | number;
  readonly memory?: string | number;
  readonly concurrent?: string | number;
  readonly unlisted?: true;
  readonly default?: Readonly<Record<string, unknown>>;
}

export function addCommand(): Command {
  const command = new Command('add').description('add a model').argument('<id>', 'public name of the model');
  const number = (flags: string, text: string) => new Option(flags, text).argParser(numberOrText);
  for (const option of [
    new Option('--model-file <name>', 'file in MODELS_DIR'),
    new Option('--path <path>', 'absolute path of a file'),
    new Option('--hf <repo>', 'Hugging Face repository, user/repo[:quant]'),
    new Option('--url <url>', 'URL of a GGUF file'),
    new Option('--backend <url>', 'URL of a llama-server elsewhere; may be repeated').argParser(collected),
    new Option('--kind <kind>', 'what it answers (default: chat)').choices(modelKinds),
    number('--ctx <tokens>', 'context size of one request (default: CTX)'),
    number('--parallel <n>', 'slots (default: PARALLEL)'),
    number('--ngl <n>', 'layers on the GPU (default: NGL)'),
    new Option('--args <text>', 'further arguments of llama-server, quoted as in a shell'),
    new Option('--mmproj <path>', 'multimodal projector'),
    new Option('--draft <path>', 'draft model for speculative decoding'),
    new Option('--adapter <name=path>', 'LoRA adapter; may be repeated').argParser(withAdapter),
    new Option('--speculate <method>', 'how it guesses tokens ahead (default: SPECULATE)').choices(
      speculationChoices,
    ),
    new Option('--devices <list>', 'indexes of the GPUs it may use, such as 0,1').argParser(nameList),
    number('--replicas <n>', 'engines that serve it (default: 1)'),
    new Option('--pin', 'load it at the start and never unload it'),
    number('--ttl <span>', 'unload it after this long without a request'),
    number('--memory <size>', 'memory of each engine, in place of the estimate'),
    number('--concurrent <n>', 'requests at a time (default: MAX_CONCURRENT_REQUESTS)'),
    new Option('--unlisted', 'leave it out of GET /v1/models'),
    new Option('--default <name=value>', 'field of requests that have none; may be repeated').argParser(
      withField,
    ),
    fileOption(),
    jsonOption(),
  ])
    command.addOption(option);
  return command.addHelpText('after', examples).action(add);
}

async function add(id: string, options: AddOptions): Promise<void> {
  const { models, file } = await updateModels(options.file, (document) =>
    addModel(document, recordOf(id, options)),
  );
  writeStderr(`Added model "${id}" to ${file}.`);
  if (options.json) writeJson(findModel({ models }, id));
}

/** The record as in the file. What is wrong with it is found when the file is read. */
function recordOf(id: string, options: AddOptions): WrittenModel {
  const {
    modelFile,
    backend,
    memory,
    concurrent,
    unlisted,
    default: defaults,
    devices,
    adapter,
    ...fields
  } = options;
  const { json: _, file: __, ...record } = fields;
  const limits = { ...(memory !== undefined && { memory }), ...(concurrent !== undefined && { concurrent }) };
  return {
    id,
    ...(modelFile !== undefined && { file: modelFile }),
    ...record,
    ...(backend && { backends: backend }),
    ...(adapter && { adapters: adapter }),
    ...(devices && { devices: devices.map(numberOrText) }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(unlisted && { listed: false }),
    ...(defaults && { defaults }),
  };
}

/** Numbers are written as such. */
function numberOrText(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function withAdapter(text: string, before: Readonly<Record<string, string>> = {}) {
  const [, name = '', path = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === '') throw new InvalidArgumentError('It must have the form name=path.');
  return { ...before, [name]: path };
}

/** The value is JSON, or text. */
function withField(text: string, before: Readonly<Record<string, unknown>> = {}) {
  const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === '') throw new InvalidArgumentError('It must have the form name=value.');
  return { ...before, [name]: jsonOrText(value) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface RemoveOptions extends FileOptions {
  readonly yes?: true;
}

const removeExamples = `
Examples:
  corral models remove old
  corral models remove old --yes    without confirmation

Its requests finish first. A model that an alias points at is not removed. Its files stay where they are.`;

export function removeCommand(): Command {
  return new Command('remove')
    .alias('rm')
    .description('remove a model from the file; its requests finish')
    .argument('<id>', 'id of the model')
    .option('--yes', 'skip the confirmation')
    .addOption(fileOption())
    .addHelpText('after', removeExamples)
    .action(remove);
}

async function remove(id: string, options: RemoveOptions): Promise<void> {
  const { file, modelsDir } = resolvePlace(options.file);
  removeModel((await readRegistryFile(file, modelsDir)).document, id);
  if (!options.yes) await confirm(`Remove model "${id}" from ${file}?`);
  await updateModels(options.file, (document) => removeModel(document, id));
  writeStderr(`Removed model "${id}" from ${file}.`);
}

export function pinCommand(): Command {
  return pinSwitch('pin', 'keep a model in memory: load it now and at each start, and never unload it', true);
}

export function unpinCommand(): Command {
  return pinSwitch('unpin', 'let a model be unloaded again when another one needs its memory', false);
}

function pinSwitch(verb: string, description: string, pin: boolean): Command {
  return new Command(verb)
    .description(description)
    .argument('<id>', 'id of the model')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', `\nExample:\n  corral models ${verb} qwen3-8b`)
    .action(async (id: string, { file, json }: FileOptions) => {
      const { models } = await updateModels(file, (document) => setPin(document, id, pin));
      writeStderr(`Model "${id}" ${pin ? 'pinned' : 'unpinned'}.`);
      if (json) writeJson(findModel({ models }, id));
    });
}
