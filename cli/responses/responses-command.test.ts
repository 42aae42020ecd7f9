import { describe, expect, it } from 'vitest';
import { newId } from '../../store/ids.ts';
import { openTestStore, type TestStore } from '../../test/harness/open-test-store.ts';
import { runInProcess } from '../../test/harness/run-corral.ts';
import { conversationsCommand } from './conversations-command.ts';
import { responsesCommand } from './responses-command.ts';

const corral = (folder: string, more: Record<string, string> = {}) => {
  const env = { DATA_DIR: folder, STORE_KEY: undefined, ...more };
  return {
    responses: (...args: string[]) => runInProcess(responsesCommand(), args, env),
    conversations: (...args: string[]) => runInProcess(conversationsCommand(), args, env),
  };
};

const question = (content: string) => ({ type: 'message', role: 'user', content });
const answer = (text: string) => ({
  ...{ type: 'message', id: newId('msg_'), role: 'assistant', status: 'completed' },
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});

interface Turn {
  readonly owner?: string;
  readonly previousId?: string;
  readonly conversationId?: string;
}

/** Stores a response; returns its id. */
function addResponse({ store }: TestStore, asked: string, answered: string, turn: Turn = {}): string {
  const { owner = 'app', ...continued } = turn;
  const id = newId('resp_');
  store.responses.save({
    ...{ owner, id, model: 'demo', status: 'completed', createdAt: 1_800_000_000, stream: false },
    object: { id, object: 'response', model: 'demo', output: [answer(answered)] },
    input: [{ item: question(asked) }],
    ...continued,
  });
  return id;
}

const textsOf = (exported: string) =>
  JSON.parse(exported).items.map(({ content }: { content: [{ text: string }] }) => content[0].text);

describe('corral responses list', () => {
  it('shows the newest first, of all keys or of one', async () => {
    await using test = await openTestStore();
    const first = addResponse(test, 'a', 'b');
    const second = addResponse(test, 'c', 'd', { previousId: first });
    const other = addResponse(test, 'e', 'f', { owner: '' });
    const { responses } = corral(test.folder);
    const { stdout } = await responses('list');
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['ID', 'KEY', 'STATUS', 'MODEL', 'CREATED', 'CONTINUES'],
      [other, '(no key)', 'completed', 'demo', '2027-01-15 08:00Z', '-'],
      [second, 'app', 'completed', 'demo', '2027-01-15 08:00Z', first],
      [first, 'app', 'completed', 'demo', '2027-01-15 08:00Z', '-'],
    ]);
    const listed = JSON.parse((await responses('list', '--key', 'app', '--limit', '1', '--json')).stdout);
    expect(listed).toMatchObject([{ id: second, owner: 'app', previousId: first }]);
    test.store.responses.save({
      ...{ owner: 'app', id: newId('resp_'), model: 'a\u001b[2J', status: 'completed', createdAt: 1 },
      ...{ stream: false, object: { output: [] }, input: [] },
    });
    expect((await responses('list', '--limit', '1')).stdout).toContain(' a\\e[2J ');
    expect((await responses('list', '--key', 'none')).stderr).toBe('No responses are stored.');
  });
});

describe('corral responses show', () => {
  it('shows what a response was asked and what it answered', async () => {
    await using test = await openTestStore({ key: Buffer.alloc(32, 1) });
    const first = addResponse(test, 'before', 'earlier');
    const id = addResponse(test, 'Hello\u001b[2J!', 'Hello from llama-corral!', { previousId: first });
    const { responses } = corral(test.folder, { STORE_KEY: '01'.repeat(32) });
    const { stdout } = await responses('show', id);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['id', id],
      ['key', 'app'],
      ['status', 'completed'],
      ['model', 'demo'],
      ['created', '2027-01-15 08:00Z'],
      ['ended', expect.stringMatching(/^\d{4}-/)],
      ['continues', first],
      ['user', 'Hello\\e[2J!'],
      ['assistant', 'Hello from llama-corral!'],
    ]);
    const object = JSON.parse((await responses('show', id, '--json')).stdout);
    expect(object).toMatchObject({
      ...{ id, object: 'response', status: 'completed' },
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hello\u001b[2J!' }] }],
      output: [{ role: 'assistant' }],
    });
  });

  it.each([
    ['STORE_KEY', 'not a key', 'STORE_KEY: invalid value'],
    ['STORE_KEY_FILE', '/nowhere', 'STORE_KEY_FILE: cannot read /nowhere'],
  ])('says what is wrong with %s; a list needs none', async (name, value, message) => {
    await using test = await openTestStore({ key: Buffer.alloc(32, 1) });
    const id = addResponse(test, 'asked', 'answered');
    const { responses } = corral(test.folder, { [name]: value });
    for (const verb of ['show', 'export']) {
      const outcome = await responses(verb, id);
      expect(outcome).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
    }
    expect((await responses('list')).stdout).toContain(id);
  });

  it('needs the right key', async () => {
    await using test = await openTestStore({ key: Buffer.alloc(32, 1) });
    const id = addResponse(test, 'a', 'b');
    for (const key of [undefined, '02'.repeat(32)]) {
      const outcome = await corral(test.folder, { ...(key && { STORE_KEY: key }) }).responses('show', id);
      expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining('STORE_KEY') });
    }
    // Lists and removals read no contents.
    const { responses } = corral(test.folder);
    expect((await responses('list')).stdout).toContain(id);
    expect((await responses('purge', '--all', '--yes')).stderr).toMatch(
      /^Removed 1 response and 0 conversations: /,
    );
  });

  it.each(['show', 'export'])('%s of one that does not exist is an error', async (verb) => {
    await using test = await openTestStore();
    const outcome = await corral(test.folder).responses(verb, 'resp_0');
    expect(outcome).toMatchObject({
      status: 1,
      stderr: 'error: there is no stored response resp_0; "corral responses list" lists them',
    });
  });
});

describe('an export', () => {
  it('of a response has the whole conversation up to it, and no other branch', async () => {
    await using test = await openTestStore();
    let id = addResponse(test, 'question 0', 'answer 0');
    const branch = id;
    for (let turn = 1; turn < 4; turn++)
      id = addResponse(test, `question ${turn}`, `answer ${turn}`, { previousId: id });
    addResponse(test, 'other question', 'other answer', { previousId: branch });
    const { stdout } = await corral(test.folder).responses('export', id);
    expect(JSON.parse(stdout).response).toMatchObject({ id, object: 'response' });
    expect(textsOf(stdout)).toEqual([0, 1, 2, 3].flatMap((n) => [`question ${n}`, `answer ${n}`]));
  });

  it('of a conversation has its metadata and all items in order', async () => {
    await using test = await openTestStore();
    const { conversations } = test.store;
    const { id } = conversations.create('app', [{ item: question('first') }], { topic: 'llamas' });
    for (let at = 0; at < 150; at += 1) conversations.addItems('app', id, [{ item: question(`item ${at}`) }]);
    addResponse(test, 'last', 'reply', { conversationId: id });
    const { stdout } = await corral(test.folder).conversations('export', id);
    expect(JSON.parse(stdout)).toMatchObject({ id, object: 'conversation', metadata: { topic: 'llamas' } });
    const items = Array.from({ length: 150 }, (_, n) => `item ${n}`);
    expect(textsOf(stdout)).toEqual(['first', ...items, 'last', 'reply']);
  });

  it('of a conversation that does not exist is an error', async () => {
    await using test = await openTestStore();
    const outcome = await corral(test.folder).conversations('export', 'conv_0');
    expect(outcome).toMatchObject({
      status: 1,
      stderr: 'error: there is no stored conversation conv_0; "corral conversations list" lists them',
    });
  });
});

describe('corral conversations list', () => {
  it('shows how many items each has', async () => {
    await using test = await openTestStore();
    const { id } = test.store.conversations.create('app', [{ item: question('a') }], {});
    test.store.conversations.create('other', [], {});
    const { conversations } = corral(test.folder);
    expect((await conversations('list', '--key', 'app')).stdout).toMatch(
      new RegExp(`^ID.*\n${id} +app +1 +\\d{4}-.*Z +\\d{4}-.*Z$`),
    );
    expect(JSON.parse((await conversations('list', '--json')).stdout)).toHaveLength(2);
    expect((await conversations('list', '--key', 'none')).stderr).toBe('No conversations are stored.');
  });
});

describe('corral responses purge', () => {
  it('removes the responses and conversations of one key, and nothing else', async () => {
    await using test = await openTestStore();
    await using writer = await test.store.files.create({
      ...{ owner: 'app', filename: 'in.jsonl', purpose: 'batch', expiresAt: null },
    });
    await writer.write(Buffer.alloc(10));
    const file = (await writer.commit()).id;
    addResponse(test, 'a', 'b');
    test.store.conversations.create('app', [{ item: question('c') }], {});
    const other = addResponse(test, 'd', 'e', { owner: 'other' });
    const outcome = await corral(test.folder).responses('purge', '--key', 'app', '--yes', '--json');
    expect(outcome.stderr).toMatch(/^Removed 1 response and 1 conversation: /);
    expect(JSON.parse(outcome.stdout)).toEqual({
      ...{ responses: 1, conversations: 1, bytes: expect.any(Number) },
    });
    expect(test.store.usage('app')).toEqual({ files: 1, responses: 0, conversations: 0, bytes: 10 });
    expect(test.store.files.get('app', file)).toBeDefined();
    expect(test.store.responses.get('other', other)).toBeDefined();
  });

  it('with --older-than leaves what is newer', async () => {
    await using test = await openTestStore();
    test.store.conversations.create('app', [{ item: question('c') }], {});
    const outcome = await corral(test.folder).responses('purge', '--older-than', '7d', '--yes');
    expect(outcome.stderr).toBe('Removed 0 responses and 0 conversations: 0.0 MiB.');
  });

  it.each([
    [['purge'], 'say what to remove: --key ID, --older-than 7d, or --all'],
    [['purge', '--all', '--key', 'app'], "cannot be used with option '--key <id>'"],
    [['list', '--limit', '0'], 'It must be an integer ≥ 1.'],
  ])('%j is a usage error', async (args, message) => {
    await using test = await openTestStore();
    expect(await corral(test.folder).responses(...args)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(message),
    });
  });
});
