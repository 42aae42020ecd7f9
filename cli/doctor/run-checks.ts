import { existsSync } from 'node:fs';
import { arch, platform as system } from 'node:os';
import { resolve } from 'node:path';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import { keyFilePath } from '../../keys/key-file-path.ts';
import { createKeyStore } from '../../keys/key-store.ts';
import { modelFileParts } from '../../models/gguf-file.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { readEngineVersion } from '../../scripts/engine/engine-version.ts';
import { findEngine } from '../../scripts/engine/find-engine.ts';
import { cacheFolder } from '../../scripts/project-folders.ts';
import { DAY } from '../../settings/durations.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { traceConfig } from '../../settings/trace-config.ts';
import type { Settings } from '../../settings/variables.ts';
import type { SupervisorConfig } from '../../supervisor/config.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { defaultHost, detectPlatform, queueWorkerEnabled } from '../../supervisor/platform/platform.ts';
import { type ProblemsByTopic, preflight } from '../../supervisor/preflight.ts';
import { connectableHost } from '../../supervisor/probe-gateway.ts';
import { checkIssuer } from './check-issuer.ts';
import { checkKeyRights } from './check-key-rights.ts';
import { checkRunningModels } from './check-running-models.ts';
import { budgetOfRunning, checkSeveralModels, namesOf, withoutModelFiles } from './check-several-models.ts';
import {
  checkCollector,
  checkFit,
  checkGpus,
  checkKeys,
  checkRedis,
  checkSpace,
  freeGpuBytes,
  type GpuSnapshot,
} from './checks.ts';
import type { Finding } from './finding.ts';
import {
  freeBytes,
  memoryBytes,
  pingCollector,
  pingRedis,
  readGpus,
  readRunningInstance,
  totalSize,
} from './inspect-system.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Checks everything that a start depends on. Starts nothing. */
export async function runChecks(env: Environment): Promise<Finding[]> {
  const { settings, problems, warnings } = readSettings(env);
  const { engine, engineProblem } = await locateEngine(settings, env);
  const running = await findRunningInstance(settings, env);
  const checked = await preflight({
    ...{ settings: budgetOfRunning(settings, running), engine, engineProblem, env },
    settingsProblems: problems.map(({ message }) => message),
    invalidVariables: problems.map(({ variable }) => variable),
  });
  const { mistakes, config } = checked;
  const gpus = await readGpuSnapshot(settings);
  return [
    versions(env),
    ...checkSettings([...warnings, ...withoutModelFiles(checked.warnings, config)], mistakes),
    ...(await checkEngine(engine, mistakes)),
    ...checkGpus(gpus),
    ...checkModel(config, mistakes, gpus),
    ...(config?.models ? await checkSeveralModels({ config, models: config.models, running, env }) : []),
    ...(config === undefined ? checkKeptModels(running) : []),
    ...report('address', mistakes),
    ...(await checkKeyFile(settings, config, mistakes)),
    ...(await checkDataFolder(settings, mistakes)),
    ...checkPorts(settings, running, mistakes),
    ...report('open files', mistakes),
    ...(await checkServices(settings)),
    ...(await checkIssuer(settings, mistakes)),
    ...(queueWorkerEnabled(settings).isEnabled
      ? [good('RunPod queue', 'the worker processes jobs of this endpoint')]
      : []),
  ];
}

/** With an invalid file, the running deployment keeps its last models. A budget is known only if it has several. */
function checkKeptModels(running: SupervisorStatus | undefined): Finding[] {
  return running?.memoryBudget === undefined ? [] : checkRunningModels(running, undefined);
}

function findRunningInstance(
  { HOST, PORT_HEALTH }: Settings,
  env: Environment,
): Promise<SupervisorStatus | undefined> | undefined {
  const host = connectableHost(HOST ?? defaultHost(detectPlatform(env)));
  return PORT_HEALTH === 0 ? undefined : readRunningInstance(`http://${host}:${PORT_HEALTH}`);
}

const good = (about: string, message: string): Finding => ({ about, verdict: 'good', message });
const warning = (about: string, message: string): Finding => ({ about, verdict: 'warning', message });

/** The messages of success if there are no mistakes; else the mistakes. */
function report(
  about: keyof ProblemsByTopic,
  mistakes: ProblemsByTopic,
  ...messages: readonly string[]
): Finding[] {
  if (mistakes[about].length === 0) return messages.map((message) => good(about, message));
  return mistakes[about].map((message) => ({ about, verdict: 'wrong', message }));
}

function checkSettings(warnings: readonly string[], mistakes: ProblemsByTopic): Finding[] {
  if (warnings.length === 0) return report('settings', mistakes, 'all variables are valid');
  return [...report('settings', mistakes), ...warnings.map((message) => warning('settings', message))];
}

function versions(env: Environment): Finding {
  const message = `llama-corral ${packageFile.version}, Node ${process.versions.node}, ${system()} ${arch()}, platform ${detectPlatform(env)}`;
  const isNew = Number(process.versions.node.split('.')[0]) >= 24;
  return isNew
    ? good('versions', message)
    : { about: 'versions', verdict: 'bad', message, fix: 'install Node 24 or newer' };
}

async function locateEngine({ LLAMA_SERVER_BIN: configured }: Settings, env: Environment) {
  try {
    return { engine: await findEngine({ configured, searchPath: env.PATH, cache: cacheFolder }) };
  } catch (error) {
    return { engine: undefined, engineProblem: (error as Error).message };
  }
}

async function checkEngine(
  engine: InstalledEngine | undefined,
  mistakes: ProblemsByTopic,
): Promise<Finding[]> {
  const about = 'llama-server';
  if (!engine || mistakes[about].length > 0) return report(about, mistakes);
  try {
    return [good(about, `${engine.command}, build ${await readEngineVersion(engine)}`)];
  } catch {
    const message = `${engine.command} does not report its version`;
    return [{ about, verdict: 'bad', message, fix: `run ${engine.command} --version to see the error` }];
  }
}

const readGpuSnapshot = ({ GPU_METRICS, NVIDIA_SMI }: Settings): Promise<GpuSnapshot> | GpuSnapshot =>
  GPU_METRICS === 'off' ? { samples: [], trouble: undefined } : readGpus(NVIDIA_SMI);

function checkModel(
  config: SupervisorConfig | undefined,
  mistakes: ProblemsByTopic,
  { samples }: GpuSnapshot,
): Finding[] {
  const { engine } = config ?? {};
  if (mistakes.model.length > 0) return report('model', mistakes);
  if (engine === undefined) return report('model', mistakes);
  const { model } = engine;
  if (model.kind !== 'file') {
    const name = model.kind === 'url' ? model.path : model.repo;
    return [good('model', `${name}: llama-server downloads it at the start unless it is cached`)];
  }
  const others = [engine.mmproj, engine.draftModel].filter((file) => file !== undefined);
  const bytes = totalSize([...modelFileParts(model.path), ...others]);
  const sizes = { model: bytes, gpu: freeGpuBytes(samples), memory: memoryBytes() };
  return [good('model', `${model.path}, served as "${engine.publicName}"`), checkFit(sizes)];
}

async function checkKeyFile(
  settings: Settings,
  config: SupervisorConfig | undefined,
  mistakes: ProblemsByTopic,
): Promise<Finding[]> {
  if (mistakes.keys.length > 0) return report('keys', mistakes);
  const { AUTH_ENABLED: isRequired, AUTH_KEYS_FILE, API_KEYS: inline, KEY_MAX_AGE_DAYS: days } = settings;
  const file = keyFilePath({ AUTH_KEYS_FILE, dataDir: resolve(resolveDataDir(settings.DATA_DIR)) });
  const store = await createKeyStore({ file, inline });
  const { problem, warnings, ring } = store;
  store.close();
  const maxAgeMs = days && days * DAY;
  const acceptsTokens = settings.OIDC_ISSUER !== undefined;
  const { keys } = ring;
  return [
    ...checkKeys({ isRequired, file, keys, warnings, problem, maxAgeMs, acceptsTokens }, Date.now()),
    ...(config && isRequired ? checkKeyRights(keys, namesOf(config)) : []),
  ];
}

async function checkDataFolder({ DATA_DIR }: Settings, mistakes: ProblemsByTopic): Promise<Finding[]> {
  const dataDir = resolve(resolveDataDir(DATA_DIR));
  if (mistakes['data folder'].length > 0 || !existsSync(dataDir)) return report('data folder', mistakes);
  return [checkSpace(dataDir, await freeBytes(dataDir))];
}

/** A running llama-corral holds the ports; that is not a problem. */
function checkPorts(
  { PORT, PORT_HEALTH }: Settings,
  running: SupervisorStatus | undefined,
  mistakes: ProblemsByTopic,
): Finding[] {
  if (mistakes.ports.length > 0 && running !== undefined) {
    const instance = `llama-corral ${running.version} is running (${running.standing})`;
    return [good('ports', `${PORT} and ${PORT_HEALTH} are in use: ${instance}`)];
  }
  return report('ports', mistakes, `${PORT} and ${PORT_HEALTH} are free`);
}

async function checkServices(settings: Settings): Promise<Finding[]> {
  const { REDIS_URL } = settings;
  const traces = traceConfig(settings);
  return [
    ...(REDIS_URL ? [checkRedis(new URL(REDIS_URL).host, await pingRedis(REDIS_URL))] : []),
    ...(traces ? [checkCollector(new URL(traces.url).host, await pingCollector(traces.url))] : []),
  ];
}
