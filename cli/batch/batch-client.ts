import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import * as z from 'zod';
import { fromMessageBatchId } from '../../store/ids.ts';
import {
  callGateway,
  findGateway,
  type Gateway,
  type GatewayOptions,
  GatewayUnreachable,
  readErrorBody,
} from '../gateway-client.ts';
import { type Batch, batchObject } from './batch-object.ts';
import { type OnUploaded, uploadForm } from './upload-form.ts';

/** For all calls but uploads and downloads, ms. */
const TIMEOUT = 30_000;
/** The gateway may be restarting. */
const CREATE_ATTEMPTS = 4;

export interface NewBatch {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

const batchPage = z.looseObject({ data: z.array(batchObject), has_more: z.boolean() });
const fileObject = z.looseObject({ id: z.string() });

/** An argument. An empty one would name the list of all batches. */
export function batchId(text: string): string {
  if (text === '')
    throw new InvalidArgumentError('It must be the id of a batch, as "corral batch list" shows it.');
  return text;
}

/** The routes of a gateway for files and batches. All methods throw an error with the fix. */
export class BatchClient {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  static async connect(options: GatewayOptions): Promise<BatchClient> {
    return new BatchClient(await findGateway(options));
  }

  /** Streams a file from the disk, and returns the id of its copy. */
  async upload(path: string, onUploaded: OnUploaded): Promise<string> {
    const response = await this.#check(await uploadForm(this.#gateway, path, onUploaded));
    return fileObject.parse(await response.json()).id;
  }

  async deleteFile(id: string): Promise<void> {
    await this.#json(`/files/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** Creates one batch only, even if a response is lost and the request is repeated. */
  async create({ inputFileId, endpoint, metadata }: NewBatch): Promise<Batch> {
    const body = JSON.stringify({
      input_file_id: inputFileId,
      endpoint,
      completion_window: '24h',
      ...(metadata && { metadata }),
    });
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return batchObject.parse(await this.#json('/batches', { method: 'POST', headers, body }));
      } catch (error) {
        if (!(error instanceof GatewayUnreachable) || attempt === CREATE_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
      }
    }
  }

  async get(id: string, signal?: AbortSignal): Promise<Batch> {
    return batchObject.parse(await this.#json(pathOf(id), { ...(signal && { signal }) }));
  }

  async cancel(id: string): Promise<Batch> {
    return batchObject.parse(await this.#json(`${pathOf(id)}/cancel`, { method: 'POST' }));
  }

  /** The newest first. */
  async list(limit: number): Promise<Batch[]> {
    const batches: Batch[] = [];
    for (;;) {
      const query = new URLSearchParams({ limit: String(Math.min(limit - batches.length, 100)) });
      const last = batches.at(-1);
      if (last) query.set('after', last.id);
      const page = batchPage.parse(await this.#json(`/batches?${query}`));
      batches.push(...page.data);
      if (!page.has_more || batches.length >= limit || page.data.length === 0) return batches;
    }
  }

  /** The bytes of a file. */
  async content(fileId: string): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#respond(`/files/${encodeURIComponent(fileId)}/content`);
    if (response.body === null) throw new Error(`the gateway sent nothing for ${fileId}`);
    return response.body;
  }

  /** What the machine costs per hour; undefined where that is not set, or not shown to everyone. */
  async costPerHour(): Promise<number | undefined> {
    const open = { ...this.#gateway, apiKey: undefined };
    const signal = AbortSignal.timeout(TIMEOUT);
    const page = await callGateway(open, '/metrics', { signal })
      .then((response) => response.text())
      .catch(() => '');
    const [, value] = /^corral_cost_per_hour ([\d.e+-]+)$/m.exec(page) ?? [];
    return value === undefined ? undefined : Number(value);
  }

  async #json(path: string, init: RequestInit = {}): Promise<unknown> {
    const signals = [init.signal, AbortSignal.timeout(TIMEOUT)].filter((given) => given != null);
    const response = await this.#respond(path, { ...init, signal: AbortSignal.any(signals) });
    return response.json();
  }

  async #respond(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#check(await callGateway(this.#gateway, `/v1${path}`, init));
  }

  async #check(response: Response): Promise<Response> {
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => undefined);
    throw this.#errorOf(response.status, body);
  }

  #errorOf(status: number, body: unknown): Error {
    const { message, code } = readErrorBody(body);
    const { origin } = this.#gateway;
    if (code === 'store_disabled')
      return new Error(`the gateway at ${origin} keeps no files and runs no batches: start it with STORE=on`);
    if (status === 401)
      return new Error(
        `the gateway at ${origin} wants a key with the scope batch (HTTP 401): pass it with --key-file or CORRAL_API_KEY`,
      );
    if (code === 'insufficient_scope')
      return new Error(
        `the key has no scope batch: add "batch" to its scopes in keys.json, or create one with "corral keys create ID"`,
      );
    if (code === 'batch_not_found')
      return new Error(
        `${message?.replace(/\.$/, '') ?? 'there is no such batch'}: "corral batch list" shows those of this key`,
      );
    if (status === 404 && code !== 'file_not_found')
      return new Error(
        `the gateway at ${origin} has no routes for batches (HTTP 404): it is of an older version`,
      );
    const text = `the gateway at ${origin} responded with HTTP ${status}${message === undefined ? '' : `: ${message}`}`;
    return status === 502 || status === 503 || status === 504
      ? new GatewayUnreachable(text)
      : new Error(text);
  }
}

/** Message batches have a route here, too. */
const pathOf = (id: string) => `/batches/${encodeURIComponent(fromMessageBatchId(id) ?? id)}`;
