import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storyText, type Topic } from '../../../cli/demo-model/stories.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

/** The topic of a story comes from `chat_template_kwargs`, else from the message. */
const template =
  "{%- for message in messages %}{{- '<|user|>' + (topic or message.content) + '<|end|>' }}{%- endfor %}{{- '<|assistant|>' }}";

interface Completed {
  readonly text: string;
  readonly tokens: number;
}

interface Route {
  readonly path: string;
  readonly bodyFor: (content: string) => object;
  readonly limit: string;
  readonly read: (json: never) => Completed;
}

const messagesFor = (content: string) => ({ messages: [{ role: 'user', content }] });

interface Choices {
  readonly choices: readonly { readonly text?: string; readonly message?: { readonly content: string } }[];
  readonly usage: { readonly completion_tokens: number };
}
const readChoice = ({ choices: [choice], usage }: Choices) => ({
  text: choice?.message?.content ?? choice?.text ?? '',
  tokens: usage.completion_tokens,
});

const routes: readonly Route[] = [
  { path: '/v1/chat/completions', bodyFor: messagesFor, limit: 'max_completion_tokens', read: readChoice },
  {
    path: '/v1/completions',
    bodyFor: (content) => ({ prompt: `<|user|>${content}<|end|><|assistant|>` }),
    limit: 'max_tokens',
    read: readChoice,
  },
  {
    path: '/v1/responses',
    bodyFor: (input) => ({ input }),
    limit: 'max_output_tokens',
    read: ({ output, usage }: { output: { content: { text: string }[] }[]; usage: Usage }) => ({
      text: output[0]?.content[0]?.text ?? '',
      tokens: usage.output_tokens,
    }),
  },
  {
    path: '/v1/messages',
    bodyFor: messagesFor,
    limit: 'max_tokens',
    read: ({ content, usage }: { content: { text: string }[]; usage: Usage }) => ({
      text: content[0]?.text ?? '',
      tokens: usage.output_tokens,
    }),
  },
];
interface Usage {
  readonly output_tokens: number;
}

const firstWord = (topic: Topic) => storyText(topic).split(/(?= )/)[0] ?? '';
const records = async (keysDefaults: object) => [
  {
    ...{ id: 'of-keys', path: await demoModelFile('guide'), pin: true },
    args: ['--jinja', '--chat-template', template],
    defaults: { chat_template_kwargs: { topic: 'keys' }, n_predict: 3, ...keysDefaults },
  },
  {
    ...{ id: 'of-models', path: await demoModelFile('guide'), pin: true },
    args: ['--jinja', '--chat-template', template],
    defaults: {
      chat_template_kwargs: { topic: 'models' },
      max_tokens: 5,
      // A field that llama-server reads on the chat route, but not on that of messages.
      logit_bias: [[firstWord('models'), false]],
    },
  },
];

let models: ServedModels;
beforeAll(async () => {
  models = await startServedModels({ models: await records({}) });
  await models.deployment.reachesStatus('ready');
});
afterAll(() => models?.[Symbol.asyncDispose]());

async function complete(
  model: string,
  { path, bodyFor, read }: Route,
  content: string,
  fields: object = {},
): Promise<Completed> {
  const response = await models.post(path, { model, ...bodyFor(content), ...fields });
  expect(response.status, await response.clone().text()).toBe(200);
  return read((await response.json()) as never);
}

describe.each(routes)('on $path', (route) => {
  const { path, limit } = route;
  const hasTemplate = path !== '/v1/completions';

  it('they apply to a request without these fields, each to its own model', async () => {
    const keys = await complete('of-keys', route, hasTemplate ? 'hello' : 'keys');
    expect(keys.tokens).toBe(3);
    expect(storyText('keys')).toContain(keys.text);
    expect(storyText('keys').startsWith(keys.text)).toBe(true);
    const other = await complete('of-models', route, hasTemplate ? 'hello' : 'models');
    expect(other.tokens).toBe(5);
    expect(other.text.startsWith(firstWord('models'))).toBe(false);
  });

  it('the fields of the client win, under any of their names', async () => {
    const own = { chat_template_kwargs: { topic: 'models' }, logit_bias: [], [limit]: 8 };
    for (const model of ['of-keys', 'of-models']) {
      const { text, tokens } = await complete(model, route, hasTemplate ? 'keys' : 'models', own);
      expect([tokens, storyText('models').startsWith(text)]).toEqual([8, true]);
    }
  });

  it('they apply where the client sends null', async () => {
    const nulls = { max_tokens: null, max_output_tokens: null, chat_template_kwargs: null };
    expect((await complete('of-models', route, 'models', nulls)).tokens).toBe(5);
  });
});

it('a prompt is counted as it is served', async () => {
  const count = await models.post('/v1/messages/count_tokens', { model: 'of-keys', ...messagesFor('hello') });
  const served = await models.post('/v1/messages', { model: 'of-keys', ...messagesFor('a b c d e f g h') });
  const { usage } = (await served.json()) as {
    usage: { input_tokens: number; cache_read_input_tokens: number };
  };
  expect(await count.json()).toEqual({ input_tokens: usage.input_tokens + usage.cache_read_input_tokens });
});

it('a change of them takes effect without a reload of the engine', async () => {
  const [chat] = routes;
  if (chat === undefined) throw new Error('no route');
  const pids = models.pidsOf('of-keys');
  models.write({ models: await records({ n_predict: 6, chat_template_kwargs: { topic: 'limits' } }) });
  await waitFor('the change', async () => (await complete('of-keys', chat, 'hello')).tokens === 6);
  expect(storyText('limits').startsWith((await complete('of-keys', chat, 'hello')).text)).toBe(true);
  expect(models.pidsOf('of-keys')).toEqual(pids);
  expect(await models.model('of-keys')).toMatchObject({ loads: 1, unloads: 0 });
  expect((await complete('of-models', chat, 'hello')).tokens).toBe(5);
});
