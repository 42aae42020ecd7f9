import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { requestBackend } from '../../health/request-backend.ts';
import type {
  EngineState,
  EnginesMessage,
  GatewayMessage,
  ModelReply,
  ModelStatus,
} from '../../health/supervisor-messages.ts';
import { argumentsOf } from './child-processes.ts';
import { type ModelView, newFolder, type RunningDeployment, startDeployment } from './start-deployment.ts';
import { waitFor } from './wait-for.ts';

export interface ModelsOptions {
  /** The models of `models.json`. Those without a source are the demo model. */
  readonly models: readonly object[];
  /** Runs fake llama-servers, whose scenario is the name of the model file. Missing files are created. */
  readonly fakes?: boolean;
  /** Runs the real gateway with this key file. The methods about messages cannot drive it. */
  readonly gatewayKeys?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A supervisor of several models with a stand-in gateway, whose messages the test decides. */
export interface ModelsDeployment extends AsyncDisposable {
  readonly deployment: RunningDeployment;
  writeModels(models: readonly object[]): void;
  model(id: string): Promise<ModelView>;
  reaches(id: string, status: ModelStatus): Promise<void>;
  /** The last state that the gateway has received. */
  state(): Promise<EnginesMessage>;
  engine(id: string): Promise<EngineState>;
  /** The process that serves on the socket of an engine. */
  pidOf(id: string): Promise<number>;
  /** Generates some tokens; throws if the engine does not. */
  generate(id: string): Promise<string>;
  /** The gateway sends a message. */
  send(message: GatewayMessage): Promise<void>;
  /** Requests wait for these models, and no others. */
  demand(...models: readonly string[]): Promise<void>;
  /** These engines have requests, and no others. */
  setBusy(...engines: readonly string[]): Promise<void>;
  reply(id: number): Promise<ModelReply['result']>;
}

export async function startModels({
  models,
  fakes = false,
  gatewayKeys,
  env = {},
}: ModelsOptions): Promise<ModelsDeployment> {
  const folder = newFolder();
  const dataDir = join(folder, 'data');
  const file = join(dataDir, 'models.json');
  mkdirSync(dataDir, { recursive: true });
  if (gatewayKeys !== undefined) writeFileSync(join(dataDir, 'keys.json'), gatewayKeys, { mode: 0o600 });
  if (fakes) {
    mkdirSync(join(folder, 'models'));
    for (const model of models)
      if ('file' in model) writeFileSync(join(folder, 'models', `${model.file}.gguf`), 'GGUF');
  }
  const writeModels = (list: readonly object[]) => {
    const withSource = list.map((model) => ({
      ...('path' in model || 'file' in model ? {} : { path: inject('demoModel'), ctx: 512, parallel: 1 }),
      ...model,
    }));
    writeFileSync(`${file}.new`, JSON.stringify({ version: 1, models: withSource }));
    renameSync(`${file}.new`, file);
  };
  writeModels(models);
  const fakeGateway = join(import.meta.dirname, '../fakes/fake-models-gateway.ts');
  const gateway = { GATEWAY_PROGRAM: gatewayKeys === undefined ? fakeGateway : '' };
  const deployment = await startDeployment({
    folder,
    ...(!fakes && { real: { engine: inject('engine'), model: '' } }),
    env: { ...gateway, MODEL_PATH: '', MODELS_DIR: join(folder, 'models'), ...env },
  });
  const call = async (path: string, body?: unknown) => {
    // A small model may be loaded before the gateway listens.
    const response = await waitFor(`the gateway to answer /test/${path}`, () =>
      fetch(`http://127.0.0.1:${deployment.gatewayPort}/test/${path}`, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      }),
    );
    return response.json();
  };
  const result: ModelsDeployment = {
    deployment,
    writeModels,
    async model(id) {
      const { models: views = [] } = await deployment.status();
      const found = views.find((view) => view.id === id);
      if (!found) throw new Error(`no model ${id} in ${JSON.stringify(views)}`);
      return found;
    },
    async reaches(id, status) {
      await waitFor(`${id} to be ${status}`, async () => (await result.model(id)).status === status).catch(
        (error) => {
          throw new Error(`${error.message}; its output:\n${deployment.output()}`, { cause: error });
        },
      );
    },
    // The gateway may listen before it has received the first one.
    state: () =>
      waitFor('the state of the engines', async () => {
        const state = (await call('engines')) as Partial<EnginesMessage>;
        return state.kind !== undefined && (state as EnginesMessage);
      }),
    async engine(id) {
      const found = (await result.state()).engines.find((engine) => engine.id === id);
      if (!found) throw new Error(`no engine ${id}`);
      return found;
    },
    async pidOf(id) {
      const { address } = await result.engine(id);
      const pid = deployment
        .children()
        .find((child) => argumentsOf(child).includes(address.socketPath ?? ''));
      if (pid === undefined) throw new Error(`no process on the socket of ${id}`);
      return pid;
    },
    async generate(id) {
      const engine = await result.engine(id);
      const body = { prompt: 'Hello', max_tokens: 4 };
      const response = await requestBackend(engine, { path: '/v1/completions', body, timeoutMs: 30_000 });
      if (response.outcome !== 'responded' || response.status !== 200)
        throw new Error(`${id}: ${JSON.stringify(response)}`);
      const { choices } = JSON.parse(response.body) as { choices: readonly { text: string }[] };
      return choices[0]?.text ?? '';
    },
    async send(message) {
      await call('send', message);
    },
    async demand(...wanted) {
      const entries = wanted.map((id) => [id, { waiting: 1, oldestWaitMs: 60_000 }]);
      await call('send', { kind: 'demand', models: Object.fromEntries(entries), leases: {} });
    },
    async setBusy(...engines) {
      await call('busy', engines);
    },
    async reply(id) {
      const found = await waitFor('the reply', async () =>
        ((await call('replies')) as readonly ModelReply[]).find((reply) => reply.id === id),
      );
      return found.result;
    },
    [Symbol.asyncDispose]: () => deployment[Symbol.asyncDispose](),
  };
  return result;
}
