import type { AliasField, LimitField, ModelField } from '../models/registry-fields.ts';

/** The text of `docs/models-file.md`; `npm run docs` writes it. */
export function modelsFilePage(): string {
  return `${[
    intro,
    section('Models', `${sourcesNote}\n\n${table(modelFields)}`),
    section('Limits of a model', `An undefined limit is that of the variable.\n\n${table(limitFields)}`),
    section('Aliases', table(aliasFields)),
  ].join('\n\n')}\n`;
}

const intro = `# The file of the models

Every field of \`models.json\`. This page is generated from \`scripts/models-file-page.ts\` by \`npm run docs\`; [models.md](models.md) explains how to
use them. The file is \`{"version": 1, "models": […], "aliases": […]}\`. Numbers, durations and sizes have the syntax of the variables
([configuration.md](configuration.md)): \`8192\`, \`"5m"\`, \`"6GiB"\`. Unknown fields are mistakes.`;

const sourcesNote =
  'A model has exactly one of `path`, `file`, `hf`, `url` and `backends`. Only `id` and this one are required.';

interface Description {
  readonly value: string;
  readonly default: string;
  readonly meaning: string;
}

const required = 'required';
const none = '–';

const modelFields: Readonly<Record<ModelField, Description>> = {
  id: {
    value: 'name',
    default: required,
    meaning: 'Public name: up to 128 letters, digits and `. _ : @ + - /`. Clients send it as `model`.',
  },
  path: { value: 'absolute path', default: none, meaning: 'GGUF file; for a split model, its first part.' },
  file: { value: 'file name', default: none, meaning: 'GGUF file in `MODELS_DIR`, with or without `.gguf`.' },
  hf: {
    value: '`user/repo[:quant]`',
    default: none,
    meaning: 'Hugging Face repository. llama-server downloads it.',
  },
  url: { value: 'URL', default: none, meaning: 'URL of a GGUF file. llama-server downloads it.' },
  backends: {
    value: 'list of URLs',
    default: none,
    meaning:
      'llama-servers that run elsewhere (`http://host:port`, `unix:/path.sock`). With a key: `{"url": …, "keyFile": "/path"}`.',
  },
  kind: {
    value: '`chat`, `embeddings`, `rerank`',
    default: '`chat`',
    meaning: 'What the model answers.',
  },
  ctx: { value: 'tokens, `auto`', default: '`CTX`', meaning: 'Context size of one request.' },
  parallel: { value: 'number, `auto`', default: '`PARALLEL`', meaning: 'Slots of each engine.' },
  ngl: { value: 'number, `auto`', default: '`NGL`', meaning: 'Layers on the GPU.' },
  args: {
    value: 'list or text',
    default: none,
    meaning:
      'Further arguments of llama-server, after those of `EXTRA_ARGS`. Arguments that would weaken its isolation are rejected.',
  },
  mmproj: {
    value: 'path',
    default: none,
    meaning: 'Multimodal projector: an absolute path, or one in `MODELS_DIR`.',
  },
  draft: {
    value: 'path',
    default: none,
    meaning: 'Draft model for speculative decoding: an absolute path, or one in `MODELS_DIR`.',
  },
  speculate: {
    value: '`auto`, `mtp`, `ngram`, `draft`, `off`',
    default: '`SPECULATE`',
    meaning: '[Speculative decoding](models.md#speculation). `draft` needs the field `draft`.',
  },
  adapters: {
    value: 'object',
    default: none,
    meaning:
      '[LoRA adapters](models.md#lora-adapters): `{"sql": "sql-lora.gguf"}`, with absolute paths, or such in `MODELS_DIR`. Clients request one as `id:sql`.',
  },
  devices: {
    value: 'list of numbers',
    default: 'all',
    meaning: 'Indexes of the GPUs that the model may use. Replicas share them out in turn.',
  },
  replicas: { value: 'number', default: '1', meaning: 'Engines that serve the model.' },
  pin: {
    value: '`true`, `false`',
    default: '`false`',
    meaning:
      'Load the model at the start and never unload it. The deployment is ready when all pinned models are.',
  },
  ttl: {
    value: 'duration',
    default: 'never',
    meaning: 'Unload the model after this long without a request.',
  },
  limits: { value: 'object', default: none, meaning: 'See below.' },
  listed: {
    value: '`true`, `false`',
    default: '`true`',
    meaning: 'Whether `GET /v1/models` lists it. It is served in any case.',
  },
  defaults: {
    value: 'object',
    default: none,
    meaning:
      'Fields of a request that are used where the client sends none, such as `temperature` or `chat_template_kwargs`.',
  },
};

const limitFields: Readonly<Record<LimitField, Description>> = {
  concurrent: {
    value: 'number',
    default: '`MAX_CONCURRENT_REQUESTS`',
    meaning: 'Requests at the model at the same time.',
  },
  queueSize: {
    value: 'number',
    default: '`MAX_QUEUE_SIZE`',
    meaning: 'Requests that may wait for the model.',
  },
  queueTimeout: {
    value: 'duration',
    default: '`QUEUE_TIMEOUT`',
    meaning: 'Longest time a request may wait.',
  },
  requestTimeout: {
    value: 'duration',
    default: '`REQUEST_TIMEOUT`',
    meaning: 'Longest time a request may take at the model; 0 turns the limit off.',
  },
  memory: {
    value: 'size',
    default: 'an estimate',
    meaning: 'Memory that is set aside for each engine of the model, instead of the estimate.',
  },
};

const aliasFields: Readonly<Record<AliasField, Description>> = {
  name: { value: 'name', default: required, meaning: 'Public name; not that of a model or another alias.' },
  targets: {
    value: 'list of `{"model", "weight"}`',
    default: required,
    meaning:
      'The models that it stands for, all of one kind. A weight is the share of the sum, 1 by default; 0 gives a model no requests.',
  },
  previous: {
    value: 'the same, or `null`',
    default: '`null`',
    meaning: 'What `corral models rollback` goes back to. Changes of the alias write it.',
  },
};

const section = (title: string, content: string) => `## ${title}\n\n${content}`;

function table(fields: Readonly<Record<string, Description>>): string {
  const rows = Object.entries(fields).map(
    ([name, { value, default: fallback, meaning }]) =>
      `| \`${name}\` | ${value} | ${fallback} | ${meaning} |`,
  );
  return ['| field | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
