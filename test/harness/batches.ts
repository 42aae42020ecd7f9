import { type Story, stories, type Topic } from '../../cli/demo-model/stories.ts';
import { type Batch, type Dialect, hasEnded } from '../../store/batch.ts';
import type { Store } from '../../store/store.ts';
import { createBatch, storeFile } from './stored-batch.ts';
import { waitFor } from './wait-for.ts';

/** A line of an input file. */
export interface BatchRequest {
  readonly custom_id: string;
  readonly method?: string;
  readonly url?: string;
  readonly body?: unknown;
}

/** A line of an output or error file. */
export interface BatchResult {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    // biome-ignore lint/suspicious/noExplicitAny: it is the answer of any API.
    readonly body: any;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const chatEndpoint = '/v1/chat/completions';
/** Short enough for a few hundred of them. */
const short = stories.filter(({ text, thought }) => text.length < 1200 && thought === undefined);

/** Chats with the demo model whose answers are known, in turn about all short stories. */
export function chatLines(count: number, prefix = 'line', body: object = {}): BatchRequest[] {
  return Array.from({ length: count }, (_, n) => {
    const { keywords } = storyOf(n);
    const messages = [{ role: 'user', content: `${n}: tell me about ${keywords[0] ?? 'yourself'}` }];
    return { custom_id: `${prefix}-${n}`, ...chatLine({ messages, ...body }) };
  });
}

export const chatLine = (body: object) => ({
  method: 'POST',
  url: chatEndpoint,
  body: { model: 'demo', temperature: 0, ...body },
});

/** The story that a line of `chatLines` gets. */
export const storyOf = (n: number) => short[n % short.length] as Story<Topic>;

/** Stores the lines as a file, and creates a batch of it. Text is stored as it is. */
export async function createBatchOfLines(
  store: Store,
  lines: readonly BatchRequest[] | string,
  {
    owner = 'app',
    endpoint = chatEndpoint,
    dialect = 'openai',
  }: { readonly owner?: string; readonly endpoint?: string; readonly dialect?: Dialect } = {},
): Promise<Batch> {
  const content =
    typeof lines === 'string' ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const { id: inputFileId } = await storeFile(store, content, { owner, filename: 'input.jsonl' });
  return createBatch(store, { owner, endpoint, inputFileId, dialect });
}

/** The batch as it is now. */
export function currentBatch(store: Store, { owner, id }: Pick<Batch, 'owner' | 'id'>): Batch {
  const batch = store.batches.get(owner, id);
  if (batch === undefined) throw new Error(`no batch ${id}`);
  return batch;
}

export const untilEnded = (store: Store, batch: Batch, within?: number): Promise<Batch> =>
  waitFor(
    `the end of ${batch.id}`,
    () => {
      const now = currentBatch(store, batch);
      return hasEnded(now.status) ? now : undefined;
    },
    { every: 100, ...(within !== undefined && { within }) },
  );

/** The lines of a result file; none if there is no file. */
export async function resultsOf(store: Store, fileId: string | null): Promise<BatchResult[]> {
  if (fileId === null) return [];
  const text = Buffer.concat(await store.files.read(fileId).toArray()).toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** All results of a batch that has ended, in the order of the numbers at the end of their custom ids. */
export async function allResults(store: Store, batch: Batch): Promise<BatchResult[]> {
  const results = [
    ...(await resultsOf(store, batch.outputFileId)),
    ...(await resultsOf(store, batch.errorFileId)),
  ];
  const number = ({ custom_id: id }: BatchResult) => Number(id.split('-').at(-1));
  return results.sort((a, b) => number(a) - number(b));
}

export const chatTextOf = ({ response }: BatchResult): string | undefined =>
  response?.body.choices?.[0]?.message.content;
