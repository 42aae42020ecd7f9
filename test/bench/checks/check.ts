import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { writeDemoModel } from '../../../cli/demo-model/write-demo-model.ts';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import { type ContenderName, contenders } from '../contenders/contenders.ts';
import { type Contender, firstApiKey, type RunningContender } from '../contenders/start-contender.ts';
import type { StubUpstream } from '../stub-upstream.ts';

/** The values of a row by their column headings; null if a value never came. */
export type Row = Readonly<Record<string, number | null>>;

/** A row for each contender. */
export type Findings = Readonly<Record<string, Row>>;

export interface CheckOptions {
  readonly stub: StubUpstream;
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  /** Includes what takes minutes. */
  readonly isLong: boolean;
}

/** A measurement other than a load. */
export interface Check {
  readonly title: string;
  readonly description?: string;
  run(options: CheckOptions): Promise<Findings>;
}

/** Measures one contender after another, each in a fresh process. */
export async function measureEach(
  { contenders: names, stub }: CheckOptions,
  measure: (contender: RunningContender, name: ContenderName) => Promise<Row>,
): Promise<Findings> {
  const found: Record<string, Row> = {};
  for (const name of names)
    found[name] = await inFreshProcess(name, stub, (contender) => measure(contender, name));
  return found;
}

export async function inFreshProcess<T>(
  name: ContenderName,
  stub: StubUpstream,
  measure: (contender: RunningContender) => Promise<T>,
): Promise<T> {
  await using contender = await contenders[name](stub);
  return await measure(contender);
}

/** Sends a chat request and does not read the response. */
export async function sendUnread(
  { port, headers, keyFile }: Contender,
  model: string,
  isStream = true,
): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const messages = [{ role: 'user', content: 'hello' }];
  const body = JSON.stringify({ model, ...(isStream && { stream: true }), max_tokens: 100_000, messages });
  const key = firstApiKey({ keyFile });
  const lines = [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(key === undefined ? [] : [`Authorization: Bearer ${key}`]),
    ...headers,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  socket.on('error', () => {});
  return socket;
}

/** Writes the demo model into the cache and returns its path. */
export async function demoModel(): Promise<string> {
  const file = join(cacheFolder, 'bench', 'demo.gguf');
  await writeDemoModel(file);
  return file;
}
