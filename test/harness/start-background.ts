import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Backend } from '../../health/backend.ts';
import { Runner } from '../../jobs/runner.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { storeConfig } from '../../store/config.ts';
import type { ResponseEvent } from '../../store/response.ts';
import { openStore, type Store } from '../../store/store.ts';
import { startTestGateway, type TestGateway } from './start-gateway.ts';
import { waitFor } from './wait-for.ts';

/** What a test reads of a response. */
export interface ResponseJson {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly output: readonly { readonly content: readonly { readonly text: string }[] }[];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into all of it
  readonly [field: string]: any;
}

export interface TestRunner extends AsyncDisposable {
  /** Every line logged so far, parsed. */
  readonly logged: readonly Record<string, unknown>[];
  /** Cuts off at once what it runs. */
  stop(): Promise<void>;
}

export interface BackgroundGateway extends AsyncDisposable {
  readonly corral: TestGateway;
  /** As the test uses it. */
  readonly store: Store;
  /** Starts what generates the background responses. */
  startRunner(): TestRunner;
  /** Sends a request, such as `GET /v1/responses/resp_1`. */
  send(
    request: string,
    json?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string; readonly body: ResponseJson }>;
  /** Creates a background response about this topic of the demo model. */
  create(input: unknown, fields?: object): Promise<ResponseJson>;
  /** Resolves when it has ended. */
  ended(id: string): Promise<ResponseJson>;
  /** Resolves when its stream has begun: the events behind `after`, or all. */
  follow(id: string, after?: number): Promise<Response>;
  /** Its stored events. */
  eventsOf(id: string): readonly ResponseEvent[];
}

const runnerKey = 'sk-of-the-runner';

/** A gateway with `STORE=on` in this process, and a runner in this process as soon as the test wants one. */
export async function startBackground(
  backend: Backend,
  env: Readonly<Record<string, string>> = {},
): Promise<BackgroundGateway> {
  const allEnv = { STORE: 'on', RUNNER_KEY: runnerKey, ...env };
  // Longer than any response takes, so that what is counted stays counted.
  const corral = await startTestGateway({ backend, env: allEnv, windowSeconds: 3600 });
  const { settings } = readSettings(allEnv);
  const config = storeConfig(settings, corral.folder);
  const store = openStore(config, { role: 'runner' });
  const runners: TestRunner[] = [];

  function startRunner(): TestRunner {
    const logged: Record<string, unknown>[] = [];
    const stream = new Writable({
      write(line, _, done) {
        logged.push(JSON.parse(line));
        done();
      },
    });
    const own = openStore(config, { role: 'runner' });
    const runner = new Runner({
      config: {
        store: config,
        gateway: { origin: corral.origin, key: runnerKey },
        ...{ maxLineLength: 1000, maxReplays: settings.MAX_REPLAYS, drainMs: 0 },
      },
      store: own,
      log: pino({}, stream),
      onJobs() {},
    });
    const running = runner.run().finally(() => own[Symbol.dispose]());
    const stop = () => {
      runner.stop();
      return running;
    };
    const started = { logged, stop, [Symbol.asyncDispose]: stop };
    runners.push(started);
    return started;
  }

  const send: BackgroundGateway['send'] = async (request, json, headers = {}) => {
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(corral.origin + path, {
      method,
      headers: {
        authorization: `Bearer ${corral.secret}`,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json === undefined ? null : JSON.stringify(json),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: response.status, text, body: isJson ? JSON.parse(text) : {} };
  };

  return {
    corral,
    store,
    startRunner,
    send,
    async create(input, fields = {}) {
      const json = { model: 'demo', temperature: 0, input, background: true, ...fields };
      const { status, text, body } = await send('POST /v1/responses', json);
      if (status !== 200) throw new Error(text);
      return body;
    },
    ended: (id) =>
      waitFor(`the end of ${id}`, async () => {
        const { body } = await send(`GET /v1/responses/${id}`);
        return body.status === 'queued' || body.status === 'in_progress' ? undefined : body;
      }),
    follow(id, after) {
      const query = after === undefined ? '' : `&starting_after=${after}`;
      const headers = { authorization: `Bearer ${corral.secret}` };
      return fetch(`${corral.origin}/v1/responses/${id}?stream=true${query}`, { headers });
    },
    eventsOf: (id) => store.responses.eventsAfter(id, -1, Number.POSITIVE_INFINITY),
    async [Symbol.asyncDispose]() {
      await Promise.all(runners.map((runner) => runner.stop()));
      store[Symbol.dispose]();
      await corral.stop();
    },
  };
}

/** The text that a response has generated. */
export const textOf = ({ output }: ResponseJson): string | undefined => output[0]?.content[0]?.text;
