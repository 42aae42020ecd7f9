import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';

export interface Clients {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  /** The model or alias to ask. */
  readonly model: string;
}

/** What a client received, in a form that all APIs share. */
export interface SdkResponse {
  readonly text: string;
  readonly finish: string | null | undefined;
  readonly input: number;
  readonly output: number;
  /** The number of different ids in the parts of the response; must be 1. */
  readonly ids: number;
  /** The longest pause between two parts, including the wait for the first, ms. */
  readonly longestPause: number;
}

/** A request of an official SDK. Its response is always the same, unless something is lost. */
export interface SdkRequest {
  readonly name: string;
  /** If it is interrupted, it may end in an error by design. */
  readonly mayFail?: true;
  /** When it resumes, its text is tokenized differently, so that the number of output tokens varies. */
  readonly outputVaries?: true;
  readonly send: (clients: Clients) => Promise<SdkResponse>;
}

const messages = (topic: string) => [{ role: 'user' as const, content: topic }];
const prompt = (topic: string) => `<|user|>${topic}<|end|><|assistant|>`;

/** Collects the parts of a response. */
class ResponseCollector {
  text = '';
  finish: string | null | undefined;
  input = 0;
  output = 0;
  longestPause = 0;
  readonly #ids = new Set<unknown>();
  #lastAt = performance.now();

  addPart(id?: string): void {
    const now = performance.now();
    this.longestPause = Math.max(this.longestPause, now - this.#lastAt);
    this.#lastAt = now;
    this.#ids.add(id);
  }

  get response(): SdkResponse {
    const { text, finish, input, output, longestPause } = this;
    return { text, finish, input, output, longestPause, ids: this.#ids.size };
  }
}

function chatStream(topic: string, max_tokens?: number): SdkRequest {
  return {
    name: `chat stream ${topic}`,
    async send({ openai, model }) {
      const collector = new ResponseCollector();
      const stream = await openai.chat.completions.create({
        model,
        messages: messages(topic),
        stream: true,
        stream_options: { include_usage: true },
        ...(max_tokens && { max_tokens }),
      });
      for await (const { id, choices, usage } of stream) {
        collector.addPart(id);
        collector.text += choices[0]?.delta.content ?? '';
        collector.finish ??= choices[0]?.finish_reason;
        collector.input += usage?.prompt_tokens ?? 0;
        collector.output += usage?.completion_tokens ?? 0;
      }
      return collector.response;
    },
  };
}

function chatPlain(topic: string, max_tokens?: number): SdkRequest {
  return {
    name: `chat ${topic}`,
    async send({ openai, model }) {
      const collector = new ResponseCollector();
      const response = await openai.chat.completions.create({
        model,
        messages: messages(topic),
        ...(max_tokens && { max_tokens }),
      });
      collector.addPart(response.id);
      collector.text = response.choices[0]?.message.content ?? '';
      collector.finish = response.choices[0]?.finish_reason;
      collector.input = response.usage?.prompt_tokens ?? 0;
      collector.output = response.usage?.completion_tokens ?? 0;
      return collector.response;
    },
  };
}

const completionStream: SdkRequest = {
  name: 'completion stream',
  async send({ openai, model }) {
    const collector = new ResponseCollector();
    const stream = await openai.completions.create({
      model,
      prompt: prompt('limits'),
      stream: true,
      max_tokens: 1000,
      stream_options: { include_usage: true },
    });
    for await (const { id, choices, usage } of stream) {
      collector.addPart(id);
      collector.text += choices[0]?.text ?? '';
      collector.finish ??= choices[0]?.finish_reason;
      collector.input = usage?.prompt_tokens ?? collector.input;
      collector.output = usage?.completion_tokens ?? collector.output;
    }
    return collector.response;
  },
};

const completionPlain: SdkRequest = {
  name: 'completion',
  async send({ openai, model }) {
    const collector = new ResponseCollector();
    const { id, choices, usage } = await openai.completions.create({ model, prompt: prompt('streams') });
    collector.addPart(id);
    collector.text = choices[0]?.text ?? '';
    collector.finish = choices[0]?.finish_reason;
    collector.input = usage?.prompt_tokens ?? 0;
    collector.output = usage?.completion_tokens ?? 0;
    return collector.response;
  },
};

const responseStream: SdkRequest = {
  name: 'response stream',
  async send({ openai, model }) {
    const collector = new ResponseCollector();
    const stream = await openai.responses.create({ model, input: 'keys', stream: true });
    for await (const event of stream) {
      collector.addPart('item_id' in event ? event.item_id : undefined);
      if (event.type === 'response.output_text.delta') collector.text += event.delta;
      if (event.type !== 'response.completed') continue;
      if (event.response.output_text && event.response.output_text !== collector.text)
        collector.text += ' (different at the end)';
      collector.finish = event.response.status;
      collector.input = event.response.usage?.input_tokens ?? 0;
      collector.output = event.response.usage?.output_tokens ?? 0;
    }
    // The events around the item do not have its id.
    return { ...collector.response, ids: collector.response.ids - 1 };
  },
};

const responsePlain: SdkRequest = {
  name: 'response',
  async send({ openai, model }) {
    const collector = new ResponseCollector();
    const response = await openai.responses.create({ model, input: 'dashboard' });
    collector.addPart(response.id);
    collector.text = response.output_text;
    collector.finish = response.status;
    collector.input = response.usage?.input_tokens ?? 0;
    collector.output = response.usage?.output_tokens ?? 0;
    return collector.response;
  },
};

const messageStream: SdkRequest = {
  name: 'message stream',
  async send({ anthropic, model }) {
    const collector = new ResponseCollector();
    const stream = await anthropic.messages.create({
      model,
      max_tokens: 2000,
      messages: messages('models'),
      stream: true,
    });
    for await (const event of stream) {
      collector.addPart();
      if (event.type === 'message_start') {
        const { input_tokens, cache_read_input_tokens } = event.message.usage;
        collector.input = input_tokens + (cache_read_input_tokens ?? 0);
      }
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        collector.text += event.delta.text;
      if (event.type !== 'message_delta') continue;
      collector.finish = event.delta.stop_reason;
      collector.output = event.usage.output_tokens;
    }
    return collector.response;
  },
};

const messagePlain: SdkRequest = {
  name: 'message',
  async send({ anthropic, model }) {
    const collector = new ResponseCollector();
    const response = await anthropic.messages.create({
      model,
      max_tokens: 2000,
      messages: messages('survival'),
    });
    collector.addPart(response.id);
    collector.text = response.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    collector.finish = response.stop_reason;
    collector.input = response.usage.input_tokens + (response.usage.cache_read_input_tokens ?? 0);
    collector.output = response.usage.output_tokens;
    return collector.response;
  },
};

export const sdkRequests: readonly SdkRequest[] = [
  chatStream('survival'),
  chatPlain('limits'),
  chatStream('long story', 900),
  completionStream,
  chatPlain('long story', 500),
  { ...chatStream('emoji'), outputVaries: true },
  responseStream,
  completionPlain,
  messageStream,
  chatPlain('thinking'),
  responsePlain,
  chatStream('streams', 20),
  messagePlain,
  { ...chatStream('thinking'), mayFail: true },
];
