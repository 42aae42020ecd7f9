import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isExecutable } from '../fs/folders.ts';
import { openFileLimitProblems } from '../fs/open-file-limit.ts';
import { oidcProblems, oidcWarning } from '../keys/oidc-problems.ts';
import { adapterArgumentProblem, adapterFileProblems, parseAdapters } from '../models/adapters.ts';
import { findForbiddenArguments, splitWords } from '../models/extra-arguments.ts';
import { modelFileProblems } from '../models/gguf-file.ts';
import { warmPromptsProblems } from '../models/warm-prompts.ts';
import { responseCacheProblems } from '../settings/response-cache-variables.ts';
import type { Settings } from '../settings/variables.ts';
import { configure, type SupervisorConfig } from './config.ts';
import { containerLayerWarnings } from './container-layer.ts';
import { checkDataDir, keyFileProblems } from './data-dir.ts';
import type { InstalledEngine } from './engine/installed-engine.ts';
import type { EngineOptions } from './engine/llama-arguments.ts';
import { describeModelFolder } from './engine/model.ts';
import { readSpeculationTypes } from './engine/speculation-types.ts';
import { ModelMemory, readBudget } from './model-memory.ts';
import { defaultHost, detectPlatform } from './platform/platform.ts';
import { portProblems, type WantedPort } from './port-problems.ts';
import { runtimeDirProblems } from './process/runtime-dir.ts';
import { speculationArgumentProblems, speculationProblems, unusedDraft } from './speculation-problems.ts';

export interface PreflightOptions {
  readonly settings: Settings;
  /** Undefined if none was found or fetched; `engineProblem` is the reason. */
  readonly engine: InstalledEngine | undefined;
  readonly engineProblem?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Problems found earlier, such as those of reading the settings. */
  readonly settingsProblems?: readonly string[];
  /** The variables whose invalid values are among these problems: `settings` lacks them, but they are set. */
  readonly invalidVariables?: readonly string[];
  /** Our health server already listens, so its port is in use. */
  readonly ownsHealthPort?: boolean;
  /** This start creates a first key if there is no key file. */
  readonly createsFirstKey?: boolean;
}

/** The problems, by topic. */
export type ProblemsByTopic = Readonly<
  Record<
    'settings' | 'llama-server' | 'model' | 'address' | 'keys' | 'data folder' | 'ports' | 'open files',
    readonly string[]
  >
>;

export type Preflight = { readonly warnings: readonly string[]; readonly mistakes: ProblemsByTopic } & (
  | { readonly ok: true; readonly config: SupervisorConfig }
  /** The configuration, if there is one despite the problems. */
  | {
      readonly ok: false;
      readonly problems: readonly string[];
      readonly config: SupervisorConfig | undefined;
    }
);

/** Finds every problem that can be found before anything is started, and reports all of them at once. */
export async function preflight(options: PreflightOptions): Promise<Preflight> {
  const { settings, env, invalidVariables: invalid = [] } = options;
  const {
    config: given,
    problems: configProblems,
    warnings: configWarnings,
  } = configure(settings, env, invalid);
  const config = given && (await withSpeculationTypes(await withBudget(given, env), options.engine));
  const data = checkDataDir(settings);
  const warnings = [
    ...configWarnings,
    ...data.warnings,
    ...containerLayerWarnings(settings, env),
    ...warningsOf(settings, config?.engine),
  ];
  const host = settings.HOST ?? defaultHost(detectPlatform(env));
  const ofGateway = gatewayMistakes(settings, host, invalid, options.createsFirstKey);
  const mistakes: ProblemsByTopic = {
    settings: [...(options.settingsProblems ?? []), ...ofGateway.settings],
    'llama-server': engineProblems(options),
    model: [
      ...configProblems,
      ...modelProblems(config, settings),
      ...argumentProblems(settings),
      ...memoryProblems(config),
    ],
    address: ofGateway.address,
    keys: ofGateway.keys,
    'data folder': [...data.problems, ...(await problemsOfStore(config)), ...runtimeDirProblems()],
    ports: await portProblems(portsOf(settings, host, options.ownsHealthPort === true)),
    'open files': openFileLimitProblems(),
  };
  const problems = Object.values(mistakes).flat();
  if (problems.length > 0 || !config) return { ok: false, problems, warnings, mistakes, config };
  return { ok: true, config, warnings, mistakes };
}

/** Its code is loaded only where it is used. */
async function problemsOfStore(config: SupervisorConfig | undefined): Promise<string[]> {
  if (!config?.settings.STORE) return [];
  const { storeProblems } = await import('./store-problems.ts');
  return storeProblems(config.settings);
}

const warningsOf = (settings: Settings, engine: SupervisorConfig['engine']) =>
  [oidcWarning(settings), engine && unusedDraft(engine)].filter((warning) => warning !== undefined);

function engineProblems({ engine, engineProblem }: PreflightOptions): string[] {
  if (!engine) return [engineProblem ?? 'llama-server not found; set LLAMA_SERVER_BIN'];
  return isExecutable(engine.command) ? [] : [`${engine.origin}: ${engine.command} is not executable`];
}

export function modelProblems(config: SupervisorConfig | undefined, settings: Settings): string[] {
  const model = config?.engine?.model;
  return [
    ...(model?.kind === 'file' ? mainModelProblems(model.path) : []),
    ...named('MMPROJ', settings.MMPROJ),
    ...named('DRAFT_MODEL', settings.DRAFT_MODEL),
    ...(config?.engine ? adapterProblems(config.engine, settings) : []),
    ...(config?.engine
      ? speculationProblems({ ...config.engine, speculationTypes: config.speculationTypes })
      : speculationArgumentProblems({
          speculate: settings.SPECULATE,
          extraArgs: splitWords(settings.EXTRA_ARGS ?? '') ?? [],
        })),
  ];
}

function adapterProblems(engine: EngineOptions, { LORA_ADAPTERS = [] }: Settings): string[] {
  const argument = adapterArgumentProblem(engine);
  return [
    ...parseAdapters(LORA_ADAPTERS).filter((entry) => typeof entry === 'string'),
    ...adapterFileProblems(engine),
    ...(argument === undefined ? [] : [`EXTRA_ARGS: ${argument}`]),
  ].map((problem) => `LORA_ADAPTERS: ${problem}`);
}

/** The memory of the machine limits what several models may take. */
async function withBudget(config: SupervisorConfig, env: PreflightOptions['env']): Promise<SupervisorConfig> {
  const { models } = config;
  return models ? { ...config, models: { ...models, budget: await readBudget(config, env) } } : config;
}

/** Asked only where something depends on it: with several models, on a field that may be added at any time. */
async function withSpeculationTypes(
  config: SupervisorConfig,
  engine: InstalledEngine | undefined,
): Promise<SupervisorConfig> {
  if (!needsSpeculationTypes(config) || engine === undefined) return config;
  return { ...config, speculationTypes: await readSpeculationTypes(engine) };
}

export function needsSpeculationTypes({ models, engine }: SupervisorConfig): boolean {
  return models !== undefined || engine?.draftModel !== undefined || engine?.speculate !== undefined;
}

function memoryProblems(config: SupervisorConfig | undefined): string[] {
  const { models } = config ?? {};
  if (config === undefined || models === undefined) return [];
  const problems = new ModelMemory(config, models.budget).problemsOf(models.registry);
  return problems.map((problem) => `${models.file}: ${problem}`);
}

function mainModelProblems(path: string): string[] {
  const problems = modelFileProblems(path);
  const others = existsSync(path) ? '' : ` (${describeModelFolder(dirname(path), basename(path))})`;
  return problems.map((problem) => `model: ${problem}${others}`);
}

const named = (variable: string, path: string | undefined) =>
  path === undefined ? [] : modelFileProblems(path).map((problem) => `${variable}: ${problem}`);

export function argumentProblems(settings: Settings): string[] {
  const args = splitWords(settings.EXTRA_ARGS ?? '') ?? [];
  return findForbiddenArguments(args).map(
    ({ argument, reason }) => `EXTRA_ARGS: ${argument} is not allowed: ${reason}`,
  );
}

/** The mistakes that concern every gateway, with or without engines of its own. */
function gatewayMistakes(
  settings: Settings,
  host: string,
  invalid: readonly string[],
  willBeCreated = false,
) {
  return {
    settings: [...responseCacheProblems(settings, invalid), ...warmPromptsProblems(settings.WARM_PROMPTS)],
    address: unauthenticatedProblems(settings, host),
    keys: [...keyFileProblems(settings, { willBeCreated }), ...oidcProblems(settings, invalid)],
  };
}

/** Access from outside without a key has to be confirmed. */
function unauthenticatedProblems(settings: Settings, host: string): string[] {
  if (settings.AUTH_ENABLED || settings.ALLOW_UNAUTHENTICATED || isLoopback(host)) return [];
  return [
    `AUTH_ENABLED=false with HOST=${host} gives everyone access to the model; set ALLOW_UNAUTHENTICATED=true to allow that, or HOST=127.0.0.1`,
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function portsOf(settings: Settings, host: string, healthPortIsOurs: boolean): WantedPort[] {
  const { PORT, PORT_HEALTH, PORT_BACKEND } = settings;
  return [
    { name: 'PORT', port: PORT, host },
    { name: 'PORT_HEALTH', port: PORT_HEALTH, host, isOurs: healthPortIsOurs },
    ...(PORT_BACKEND === undefined ? [] : [{ name: 'PORT_BACKEND', port: PORT_BACKEND, host: '127.0.0.1' }]),
  ];
}

export interface GatewayPreflightOptions {
  /** As finally decided, with HOST. */
  readonly settings: Settings;
  readonly host: string;
  /** The invalid variables, and their messages. */
  readonly invalidSettings: readonly { readonly variable: string; readonly message: string }[];
}

/** The checks of `corral serve` that apply to a gateway in front of a llama-server that runs elsewhere. */
export async function preflightGateway({ settings, host, invalidSettings }: GatewayPreflightOptions) {
  const data = checkDataDir(settings);
  const invalid = invalidSettings.map(({ variable }) => variable);
  const isNamed =
    settings.BACKEND_URL !== undefined ||
    settings.MODELS_FILE !== undefined ||
    invalid.includes('BACKEND_URL');
  const problems = [
    ...invalidSettings.map(({ message }) => message),
    ...(isNamed
      ? []
      : [
          'BACKEND_URL: not set; expected the address of a llama-server, such as http://127.0.0.1:8080; for several models, set MODELS_FILE',
        ]),
    ...Object.values(gatewayMistakes(settings, host, invalid)).flat(),
    ...data.problems,
    ...(await portProblems([{ name: 'PORT', port: settings.PORT, host }])),
  ];
  const ignored =
    settings.LORA_ADAPTERS === undefined ? [] : ['LORA_ADAPTERS is ignored: this gateway runs no engine'];
  return { problems, warnings: [...data.warnings, ...warningsOf(settings, undefined), ...ignored] };
}
