import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Settings } from '../settings/variables.ts';
import { configure, type SupervisorConfig } from './config.ts';
import { resolveDataDir } from './data-dir.ts';
import type { Engine } from './engine.ts';
import { faultsOfModel } from './gguf-file.ts';
import { whatIsIn } from './model.ts';
import { defaultHost, detectPlatform } from './platform.ts';
import { findRefusedArguments } from './refused-arguments.ts';
import { splitWords } from './split-words.ts';

export interface PreflightQuestion {
  readonly settings: Settings;
  /** Undefined where none was found or could be fetched: `engineProblem` says why. */
  readonly engine: Engine | undefined;
  readonly engineProblem?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Mistakes that were found before, such as those of reading the settings. */
  readonly earlierProblems?: readonly string[];
  /** The health server is already listening, so that its port is taken by ourselves. */
  readonly healthPortIsOurs?: boolean;
}

/** The mistakes that were found, by what they are about. */
export type Mistakes = Readonly<
  Record<
    'settings' | 'llama-server' | 'model' | 'address' | 'keys' | 'data folder' | 'ports',
    readonly string[]
  >
>;

export type Preflight = { readonly warnings: readonly string[]; readonly mistakes: Mistakes } & (
  | { readonly ok: true; readonly config: SupervisorConfig }
  /** The configuration where one could be made, as far as that goes. */
  | {
      readonly ok: false;
      readonly problems: readonly string[];
      readonly config: SupervisorConfig | undefined;
    }
);

/** Looks for every mistake that can be found before anything is started, and names them all at once. */
export async function preflight(question: PreflightQuestion): Promise<Preflight> {
  const { settings, env } = question;
  const { config, problems: configProblems, warnings } = configure(settings, env);
  const host = settings.HOST ?? defaultHost(detectPlatform(env));
  const mistakes: Mistakes = {
    settings: question.earlierProblems ?? [],
    'llama-server': engineProblems(question),
    model: [...configProblems, ...modelProblems(config, settings), ...argumentProblems(settings)],
    address: openDoorProblems(settings, host),
    keys: keyFileProblems(settings),
    'data folder': dataDirProblems(settings),
    ports: await portProblems(settings, host, question.healthPortIsOurs === true),
  };
  const problems = Object.values(mistakes).flat();
  if (problems.length > 0 || !config) return { ok: false, problems, warnings, mistakes, config };
  return { ok: true, config, warnings, mistakes };
}

function engineProblems({ engine, engineProblem }: PreflightQuestion): string[] {
  if (!engine) return [engineProblem ?? 'no llama-server was found: set LLAMA_SERVER_BIN'];
  return canAccess(engine.command, constants.X_OK)
    ? []
    : [`${engine.origin}: ${engine.command} cannot be executed`];
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
  const faults = faultsOfModel(path);
  const others = existsSync(path) ? '' : ` (${whatIsIn(dirname(path))})`;
  return faults.map((fault) => `the model: ${fault}${others}`);
}

const named = (variable: string, path: string | undefined) =>
  path === undefined ? [] : faultsOfModel(path).map((fault) => `${variable}: ${fault}`);

export function argumentProblems(settings: Settings): string[] {
  const args = splitWords(settings.EXTRA_ARGS ?? '') ?? [];
  return findRefusedArguments(args).map(
    ({ argument, why }) => `EXTRA_ARGS: ${argument} is refused, because ${why}`,
  );
}

function openDoorProblems(settings: Settings, host: string): string[] {
  if (settings.AUTH_ENABLED || settings.ALLOW_UNAUTHENTICATED || isLoopback(host)) return [];
  return [
    `AUTH_ENABLED=false on ${host} would let anyone use the model: set ALLOW_UNAUTHENTICATED=true if that is wanted, or HOST=127.0.0.1`,
  ];
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function keyFileProblems({ AUTH_ENABLED, AUTH_KEYS_FILE }: Settings): string[] {
  if (!AUTH_ENABLED || AUTH_KEYS_FILE === undefined || !existsSync(AUTH_KEYS_FILE)) return [];
  return canAccess(AUTH_KEYS_FILE, constants.R_OK)
    ? []
    : [`AUTH_KEYS_FILE: ${AUTH_KEYS_FILE} cannot be read: check its owner and permissions`];
}

function dataDirProblems(settings: Settings): string[] {
  const dataDir = resolveDataDir(settings.DATA_DIR);
  try {
    makeFolder(resolve(dataDir));
    accessSync(dataDir, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [`DATA_DIR: ${dataDir} cannot be written (${code}): choose another or change its owner`];
  }
}

/** Step by step: below /proc Node's recursive mkdir never comes back. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

async function portProblems(settings: Settings, host: string, healthPortIsOurs: boolean): Promise<string[]> {
  const { PORT, PORT_HEALTH, PORT_BACKEND } = settings;
  const wanted = [
    { name: 'PORT', port: PORT, host, free: false },
    { name: 'PORT_HEALTH', port: PORT_HEALTH, host, free: healthPortIsOurs },
    ...(PORT_BACKEND === undefined
      ? []
      : [{ name: 'PORT_BACKEND', port: PORT_BACKEND, host: '127.0.0.1', free: false }]),
  ];
  const problems: string[] = [];
  for (const [index, { name, port, host, free }] of wanted.entries()) {
    const same = wanted.slice(0, index).find((other) => other.port === port && port !== 0);
    if (same) problems.push(`${name} and ${same.name} are both ${port}: give each its own`);
    else if (!free) problems.push(...(await listenProblem(name, port, host)));
  }
  return problems;
}

/** Whether a port can be had is only known by taking it. */
function listenProblem(name: string, port: number, host: string): Promise<string[]> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve([`${name}: ${whyNot(error, port, host)}`]),
    );
    server.listen(port, host, () => server.close(() => resolve([])));
  });
}

function whyNot({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === 'EADDRINUSE')
    return `port ${port} is in use on ${host}: stop what listens there or set another`;
  if (code === 'EACCES') return `port ${port} needs more rights than this process has: set one above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST ${host} is no address of this machine`;
  return `cannot listen on ${host}:${port} (${message})`;
}
