import { isAbsolute, relative, resolve } from 'node:path';
import * as z from 'zod';
import {
  autoOr,
  backendUrl,
  durationFrom,
  durationOrOff,
  huggingFaceRepo,
  integer,
  size,
  url,
} from '../settings/kinds.ts';
import { adapterNamePattern } from './adapters.ts';
import { findForbiddenArguments, splitWords } from './extra-arguments.ts';
import {
  booleanField,
  choiceField,
  field,
  fieldLike,
  invalidValue,
  listField,
  objectField,
  textField,
} from './field.ts';
import { type AdapterFile, modelKinds, speculationChoices } from './registry.ts';

const namePattern = /^[\p{L}\p{N}][\p{L}\p{N}._:@+-]*(?:\/[\p{L}\p{N}][\p{L}\p{N}._:@+-]*)*$/u;

/** The name of a model or an alias: it may be that of a repository, but no path that leads upwards. */
const publicName = textField(
  'a name of at most 128 letters, digits and . _ : @ + - /, such as "qwen3-8b" or "Qwen/Qwen3-8B"',
  (name) => (name.length <= 128 && namePattern.test(name) ? name : undefined),
);

const absolutePath = textField('an absolute path', (path) => (isAbsolute(path) ? path : undefined));

const pathBesideModels = (modelsDir: string) =>
  textField(`an absolute path, or one in MODELS_DIR (${modelsDir})`, (path) => resolve(modelsDir, path));

/** Links are followed: the operator has set them. */
const fileInModels = (modelsDir: string) =>
  textField(`the name of a file in MODELS_DIR (${modelsDir}); "path" names a file elsewhere`, (name) => {
    const path = resolve(modelsDir, /\.gguf$/i.test(name) ? name : `${name}.gguf`);
    const isInside = !isAbsolute(name) && !/^\.\.(?:\/|$)/.test(relative(modelsDir, path));
    return isInside ? path : undefined;
  });

const engineArguments = z.unknown().transform((value, context) => {
  const words = typeof value === 'string' ? splitWords(value) : value;
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string' && !word.includes('\0'))) {
    const expected = 'a list of arguments, or a text with arguments, quoted as in a shell';
    context.addIssue({ code: 'custom', message: invalidValue(value, expected) });
    return z.NEVER;
  }
  for (const { argument, reason } of findForbiddenArguments(words)) {
    context.addIssue({ code: 'custom', message: `${argument} is not allowed: ${withFieldNames(reason)}` });
  }
  return words as readonly string[];
});

/** The fields that take the place of variables. */
const fieldNames: Readonly<Record<string, string>> = {
  MODEL_PATH: 'path',
  MODEL_URL: 'url',
  HF_REPO: 'hf',
  MODEL_ALIAS: 'id',
  PARALLEL: 'parallel',
  CTX: 'ctx',
  SLEEP_IDLE_SECONDS: 'ttl',
};

function withFieldNames(reason: string): string {
  return reason.replace(/\b[A-Z_]{2,}\b/g, (name) => (name in fieldNames ? `"${fieldNames[name]}"` : name));
}

const remoteBackend = z
  .unknown()
  .transform((value) => (typeof value === 'string' ? { url: value } : value))
  .pipe(
    objectField(
      {
        url: textField('http://host:port or unix:/path.sock, without user, path or query', backendUrl.parse),
        keyFile: absolutePath.optional(),
      },
      'a URL, or an object with "url" and "keyFile"',
    ),
  )
  .transform(({ url, keyFile }) => ({ url, keyFile }));

/** Fields that make up a request: a default for them would answer another one. */
const onlyOfClients = ['model', 'messages', 'prompt', 'input', 'query', 'documents', 'stream'];

const requestDefaults = field('an object with fields of a request', (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined,
).superRefine((fields, context) => {
  for (const name of onlyOfClients.filter((name) => name in fields)) {
    context.addIssue({ code: 'custom', path: [name], message: 'only clients can set this; remove it' });
  }
});

const limitFields = {
  concurrent: fieldLike(integer(1, 1_000_000)).optional(),
  queueSize: fieldLike(integer(0, 1_000_000)).optional(),
  queueTimeout: fieldLike(durationFrom(0)).optional(),
  requestTimeout: fieldLike(durationOrOff).optional(),
  memory: fieldLike(size(1024 ** 2, 64 * 1024 ** 4)).optional(),
};

/** `{"sql": "sql-lora.gguf"}` */
const adapterFiles = (modelsDir: string) =>
  field('an object with names and paths, such as {"sql": "sql-lora.gguf"}', (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value as Readonly<Record<string, unknown>>);
    const isValid = entries.every(
      ([name, path]) =>
        adapterNamePattern.test(name) &&
        typeof path === 'string' &&
        path.trim() !== '' &&
        !path.includes('\0'),
    );
    return isValid
      ? entries.map(([name, path]): AdapterFile => ({ name, path: resolve(modelsDir, String(path)) }))
      : undefined;
  });

/** The fields of a model, each on its own. */
const modelFields = (modelsDir: string) => ({
  id: publicName,
  path: absolutePath.optional(),
  file: fileInModels(modelsDir).optional(),
  hf: fieldLike(huggingFaceRepo).optional(),
  url: fieldLike(url('https', 'http')).optional(),
  backends: listField(remoteBackend, 'a list of URLs').optional(),
  kind: choiceField(modelKinds).default('chat'),
  ctx: fieldLike(autoOr(integer(256))).optional(),
  parallel: fieldLike(autoOr(integer(1, 256))).optional(),
  ngl: fieldLike(autoOr(integer(0, 2 ** 31 - 1))).optional(),
  args: engineArguments.default([]),
  mmproj: pathBesideModels(modelsDir).optional(),
  draft: pathBesideModels(modelsDir).optional(),
  speculate: choiceField(speculationChoices).optional(),
  adapters: adapterFiles(modelsDir).default([]),
  devices: listField(fieldLike(integer(0, 255)), 'a list of GPU indexes, such as [0, 1]').optional(),
  replicas: fieldLike(integer(1, 64)).default(1),
  pin: booleanField.default(false),
  ttl: fieldLike(durationFrom(1000)).optional(),
  limits: objectField(limitFields, 'an object with limits').default({}),
  listed: booleanField.default(true),
  defaults: requestDefaults.default({}),
});

const targetFields = {
  model: publicName,
  weight: field('a number ≥ 0, such as 90 or 0.1', (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined,
  ).default(1),
};
const targets = listField(
  objectField(targetFields, 'an object with "model" and "weight"'),
  'a list of targets, such as [{"model": "qwen3-8b"}]',
);
const aliasFields = { name: publicName, targets, previous: targets.nullable().default(null) };

export type ModelField = keyof ReturnType<typeof modelFields>;
export type LimitField = keyof typeof limitFields;
export type AliasField = keyof typeof aliasFields;

export const modelSchema = (modelsDir: string) => objectField(modelFields(modelsDir), 'an object');
export const aliasSchema = objectField(aliasFields, 'an object');

/** The names of the fields that an object at this place may have. */
export function knownFields(path: readonly PropertyKey[]): readonly string[] {
  if (path.includes('limits')) return Object.keys(limitFields);
  if (path.includes('backends')) return ['url', 'keyFile'];
  if (path.includes('targets') || path.includes('previous')) return Object.keys(targetFields);
  return Object.keys(path[0] === 'aliases' ? aliasFields : modelFields(''));
}
