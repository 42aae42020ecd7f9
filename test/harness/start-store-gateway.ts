import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '../../settings/read-settings.ts';
import { storeConfig } from '../../store/config.ts';
import { openStore, type Store } from '../../store/store.ts';
import { echo } from '../fakes/scenarios.ts';
import { startFakeBackend } from '../fakes/start-fake-backend.ts';
import { keyFileText } from './key-file-text.ts';
import { startTestGateway, type TestGateway, testerSecret } from './start-gateway.ts';

export const otherSecret = 'sk-other-0123456789abcdefghijklmnopqrstuvwxyz0';

/** The keys `tester` and `other`, which may use files and batches. */
export const batchKeys = keyFileText({
  tester: { secret: testerSecret, scopes: ['inference', 'batch'] },
  other: { secret: otherSecret, scopes: ['inference', 'batch'] },
});

interface SendOptions {
  readonly secret?: string;
  readonly body?: string | FormData | Uint8Array<ArrayBuffer>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route of ours responded. */
export interface StoreResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into responses of many shapes
  readonly body: any;
}

export interface StoreGateway extends AsyncDisposable {
  readonly corral: TestGateway;
  /** Opens its store as the runner does. */
  openStore(): Store;
  /** The contents of files on disk. */
  contents(): string[];
  /** Sends a request, such as `GET /v1/files`. */
  send(request: string, options?: SendOptions): Promise<StoreResponse>;
  /** Uploads a file; returns its id. */
  upload(content: string, options?: { readonly secret?: string; readonly purpose?: string }): Promise<string>;
  /** Creates a batch of one line; returns its id. */
  createBatch(options?: { readonly secret?: string; readonly inputFileId?: string }): Promise<string>;
}

/** A gateway with `STORE=on` in front of a fake backend. Nothing runs its batches. */
export async function startStoreGateway(
  env: Readonly<Record<string, string>> = {},
  keys = batchKeys,
): Promise<StoreGateway> {
  const backend = await startFakeBackend(echo);
  const corral = await startTestGateway({
    backend: backend.backend,
    keys,
    env: { STORE: 'on', CLIENT_HEADER_TIMEOUT: '1h', ...env },
  });
  const opened: Store[] = [];
  const send = async (request: string, { secret = testerSecret, body, json, headers }: SendOptions = {}) => {
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(corral.origin + path, {
      method,
      headers: {
        ...(secret !== '' && { authorization: `Bearer ${secret}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : text,
    };
  };
  const upload: StoreGateway['upload'] = async (content, { secret, purpose = 'batch' } = {}) => {
    const form = fileForm(content, { purpose });
    const { status, body } = await send('POST /v1/files', { body: form, ...(secret && { secret }) });
    if (status !== 200) throw new Error(`the upload failed: ${JSON.stringify(body)}`);
    return body.id;
  };
  return {
    corral,
    openStore() {
      const { settings } = readSettings(env);
      const store = openStore(storeConfig(settings, corral.folder), { role: 'runner' });
      opened.push(store);
      return store;
    },
    contents: () => readdirSync(join(corral.folder, 'files')),
    send,
    upload,
    async createBatch({ secret, inputFileId } = {}) {
      const input_file_id = inputFileId ?? (await upload('{}\n', { ...(secret && { secret }) }));
      const json = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' };
      const { status, body } = await send('POST /v1/batches', { json, ...(secret && { secret }) });
      if (status !== 200) throw new Error(`no batch: ${JSON.stringify(body)}`);
      return body.id;
    },
    async [Symbol.asyncDispose]() {
      for (const store of opened) store[Symbol.dispose]();
      await corral.stop();
      await backend.stop();
    },
  };
}

/** A form as clients send it, the file first or last. */
export function fileForm(
  content: string | Uint8Array<ArrayBuffer>,
  fields: Readonly<Record<string, string>>,
  { name = 'lines.jsonl', fileFirst = false } = {},
): FormData {
  const form = new FormData();
  const addFile = () => form.append('file', new Blob([content]), name);
  if (fileFirst) addFile();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  if (!fileFirst) addFile();
  return form;
}
