import {
  type LlamaServer,
  type LlamaServerOptions,
  startLlamaServer,
} from '../services/start-llama-server.ts';
import { startTestGateway, type TestGateway } from './start-gateway.ts';

export interface Demo extends AsyncDisposable {
  readonly engine: LlamaServer;
  readonly corral: TestGateway;
  /** The base URL of an OpenAI client. */
  readonly baseURL: string;
  readonly apiKey: string;
  stop(): Promise<void>;
}

interface DemoOptions {
  readonly llama?: LlamaServerOptions;
  /** Settings of the gateway. */
  readonly env?: Readonly<Record<string, string>>;
  readonly keys?: string;
}

/** A real llama-server with the demo model, and a gateway in front of it. */
export async function startDemo({ llama, ...options }: DemoOptions = {}): Promise<Demo> {
  const engine = await startLlamaServer(llama);
  const corral = await startTestGateway({ backend: engine.backend, ...options });
  const stop = async () => {
    await corral.stop();
    await engine.stop();
  };
  return {
    engine,
    corral,
    baseURL: `${corral.origin}/v1`,
    apiKey: corral.secret,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
