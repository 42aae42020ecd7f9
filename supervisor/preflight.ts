import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { openFileLimitProblems } from '../fs/open-file-limit.ts';
import { isExecutable } from '../fs/writable-folder.ts';
import type { Settings } from '../settings/variables.ts';
import { configure, type SupervisorConfig } from './config.ts';
import { checkDataDir } from './data-dir.ts';
import { findForbiddenArguments } from './engine/extra-arguments.ts';
import { modelFileProblems } from './engine/gguf-file.ts';
import type { Engine } from './engine/installed-engine.ts';
import { describeModelFolder } from './engine/model.ts';
import { splitWords } from './engine/split-words.ts';
import { keyFileProblems } from './key-file-problems.ts';
import { defaultHost, detectPlatform } from './platform/platform.ts';
import { portProblems, type WantedPort } from './port-problems.ts';
import { runtimeDirProblems } from './process/runtime-dir.ts';

export interface PreflightOptions {
  readonly settings: Settings;
  /** Undefined where none was found or could be fetched: `engineProblem` says why. */
  readonly engine: Engine | undefined;
  readonly engineProblem?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Mistakes that were found before, such as those of reading the settings. */
  readonly settingsProblems?: readonly string[];
  /** The health server is already listening, so that its port is taken by ourselves. */
  readonly ownsHealthPort?: boolean;
  /** A first key is made at this start where there is no key file. */
  readonly createsFirstKey?: boolean;
}

/** The mistakes that were found, by what they are about. */
export type ProblemsByTopic = Readonly<
  Record<
    'settings' | 'llama-server' | 'model' | 'address' | 'keys' | 'data folder' | 'ports' | 'open files',
    readonly string[]
  >
>;

export type Preflight = { readonly warnings: readonly string[]; readonly mistakes: ProblemsByTopic } & (
  | { readonly ok: true; readonly config: SupervisorConfig }
  /** The configuration where one could be made, as far as that goes. */
  | {
      readonly ok: false;
      readonly problems: readonly string[];
      readonly config: SupervisorConfig | undefined;
    }
);

/** Looks for every mistake that can be found before anything is started, and names them all at once. */
export async function preflight(question: PreflightOptions): Promise<Preflight> {
  const { settings, env } = question;
  const { config, problems: configProblems, warnings: configWarnings } = configure(settings, env);
  const data = checkDataDir(settings);
  const warnings = [...configWarnings, ...data.warnings];
  const host = settings.HOST ?? defaultHost(detectPlatform(env));
  const mistakes: ProblemsByTopic = {
    settings: question.settingsProblems ?? [],
    'llama-server': engineProblems(question),
    model: [...configProblems, ...modelProblems(config, settings), ...argumentProblems(settings)],
    address: unauthenticatedProblems(settings, host),
    keys: keyFileProblems(settings, { willBeMade: question.createsFirstKey }),
    'data folder': [...data.problems, ...runtimeDirProblems()],
    ports: await portProblems(portsOf(settings, host, question.ownsHealthPort === true)),
    'open files': openFileLimitProblems(),
  };
  const problems = Object.values(mistakes).flat();
  if (problems.length > 0 || !config) return { ok: false, problems, warnings, mistakes, config };
  return { ok: true, config, warnings, mistakes };
}

function engineProblems({ engine, engineProblem }: PreflightOptions): string[] {
  if (!engine) return [engineProblem ?? 'no llama-server was found: set LLAMA_SERVER_BIN'];
  return isExecutable(engine.command) ? [] : [`${engine.origin}: ${engine.command} cannot be executed`];
}

export function modelProblems(config: SupervisorConfig | undefined, settings: Settings): string[] {
  const model = config?.engine.model;
  return [
    ...(model?.kind === 'file' ? mainModelProblems(model.path) : []),
    ...named('MMPROJ', settings.MMPROJ),
    ...named('DRAFT_MODEL', settings.DRAFT_MODEL),
  ];
}

function mainModelProblems(path: string): string[] {
  const faults = modelFileProblems(path);
  const others = existsSync(path) ? '' : ` (${describeModelFolder(dirname(path))})`;
  return faults.map((fault) => `the model: ${fault}${others}`);
}

const named = (variable: string, path: string | undefined) =>
  path === undefined ? [] : modelFileProblems(path).map((fault) => `${variable}: ${fault}`);

export function argumentProblems(settings: Settings): string[] {
  const args = splitWords(settings.EXTRA_ARGS ?? '') ?? [];
  return findForbiddenArguments(args).map(
    ({ argument, why }) => `EXTRA_ARGS: ${argument} is refused, because ${why}`,
  );
}

/** Nobody is let in without a key from outside unless that is said to be meant. */
export function unauthenticatedProblems(settings: Settings, host: string): string[] {
  if (settings.AUTH_ENABLED || settings.ALLOW_UNAUTHENTICATED || isLoopback(host)) return [];
  return [
    `AUTH_ENABLED=false on ${host} would let anyone use the model: set ALLOW_UNAUTHENTICATED=true if that is wanted, or HOST=127.0.0.1`,
  ];
}

export function isLoopback(host: string): boolean {
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
