import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';

export interface Clients {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
}

/** What a client was told, in words that all APIs share. */
export interface Told {
  readonly text: string;
  readonly finish: string | null | undefined;
  readonly input: number;
  readonly output: number;
  /** How many names the parts of its answer bore: one. */
  readonly names: number;
  /** The longest silence between two parts, the wait for the first among them, ms. */
  readonly longestPause: number;
}

/** A request as a client of the official SDKs makes it. Each tells the same every time, if nothing is lost. */
export interface Kind {
  readonly name: string;
  /** It may end in an error by design, where it is cut. */
  readonly mayBreak?: true;
  /** Its text, read anew, is other tokens than it was generated as, so that a cut one is counted differently. */
  readonly countsVary?: true;
  readonly ask: (clients: Clients) => Promise<Told>;
}

const model = 'demo';
const messages = (topic: string) => [{ role: 'user' as const, content: topic }];
const prompt = (topic: string) => `<|user|>${topic}<|end|><|assistant|>`;

/** Follows the parts of an answer. */
class Parts {
  text = '';
  finish: string | null | undefined;
  input = 0;
  output = 0;
  longestPause = 0;
  readonly #names = new Set<unknown>();
  #lastAt = performance.now();

  arrived(name?: string): void {
    const now = performance.now();
    this.longestPause = Math.max(this.longestPause, now - this.#lastAt);
    this.#lastAt = now;
    this.#names.add(name);
  }

  get told(): Told {
    const { text, finish, input, output, longestPause } = this;
    return { text, finish, input, output, longestPause, names: this.#names.size };
  }
}

function chatStream(topic: string, max_tokens?: number): Kind {
  return {
    name: `chat stream ${topic}`,
    async ask({ openai }) {
      const parts = new Parts();
      const stream = await openai.chat.completions.create({
        model,
        messages: messages(topic),
        stream: true,
        stream_options: { include_usage: true },
        ...(max_tokens && { max_tokens }),
      });
      for await (const { id, choices, usage } of stream) {
        parts.arrived(id);
        parts.text += choices[0]?.delta.content ?? '';
        parts.finish ??= choices[0]?.finish_reason;
        parts.input += usage?.prompt_tokens ?? 0;
        parts.output += usage?.completion_tokens ?? 0;
      }
      return parts.told;
    },
  };
}

function chatPlain(topic: string, max_tokens?: number): Kind {
  return {
    name: `chat ${topic}`,
    async ask({ openai }) {
      const parts = new Parts();
      const answer = await openai.chat.completions.create({
        model,
        messages: messages(topic),
        ...(max_tokens && { max_tokens }),
      });
      parts.arrived(answer.id);
      parts.text = answer.choices[0]?.message.content ?? '';
      parts.finish = answer.choices[0]?.finish_reason;
      parts.input = answer.usage?.prompt_tokens ?? 0;
      parts.output = answer.usage?.completion_tokens ?? 0;
      return parts.told;
    },
  };
}

const completionStream: Kind = {
  name: 'completion stream',
  async ask({ openai }) {
    const parts = new Parts();
    const stream = await openai.completions.create({
      model,
      prompt: prompt('limits'),
      stream: true,
      max_tokens: 1000,
      stream_options: { include_usage: true },
    });
    for await (const { id, choices, usage } of stream) {
      parts.arrived(id);
      parts.text += choices[0]?.text ?? '';
      parts.finish ??= choices[0]?.finish_reason;
      parts.input = usage?.prompt_tokens ?? parts.input;
      parts.output = usage?.completion_tokens ?? parts.output;
    }
    return parts.told;
  },
};

const completionPlain: Kind = {
  name: 'completion',
  async ask({ openai }) {
    const parts = new Parts();
    const { id, choices, usage } = await openai.completions.create({ model, prompt: prompt('streams') });
    parts.arrived(id);
    parts.text = choices[0]?.text ?? '';
    parts.finish = choices[0]?.finish_reason;
    parts.input = usage?.prompt_tokens ?? 0;
    parts.output = usage?.completion_tokens ?? 0;
    return parts.told;
  },
};

const responseStream: Kind = {
  name: 'response stream',
  async ask({ openai }) {
    const parts = new Parts();
    const stream = await openai.responses.create({ model, input: 'keys', stream: true });
    for await (const event of stream) {
      parts.arrived('item_id' in event ? event.item_id : undefined);
      if (event.type === 'response.output_text.delta') parts.text += event.delta;
      if (event.type !== 'response.completed') continue;
      if (event.response.output_text && event.response.output_text !== parts.text)
        parts.text += ' (told twice)';
      parts.finish = event.response.status;
      parts.input = event.response.usage?.input_tokens ?? 0;
      parts.output = event.response.usage?.output_tokens ?? 0;
    }
    // The events around the item bear no id of it.
    return { ...parts.told, names: parts.told.names - 1 };
  },
};

const responsePlain: Kind = {
  name: 'response',
  async ask({ openai }) {
    const parts = new Parts();
    const answer = await openai.responses.create({ model, input: 'dashboard' });
    parts.arrived(answer.id);
    parts.text = answer.output_text;
    parts.finish = answer.status;
    parts.input = answer.usage?.input_tokens ?? 0;
    parts.output = answer.usage?.output_tokens ?? 0;
    return parts.told;
  },
};

const messageStream: Kind = {
  name: 'message stream',
  async ask({ anthropic }) {
    const parts = new Parts();
    const stream = await anthropic.messages.create({
      model,
      max_tokens: 2000,
      messages: messages('models'),
      stream: true,
    });
    for await (const event of stream) {
      parts.arrived();
      if (event.type === 'message_start') {
        const { input_tokens, cache_read_input_tokens } = event.message.usage;
        parts.input = input_tokens + (cache_read_input_tokens ?? 0);
      }
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        parts.text += event.delta.text;
      if (event.type !== 'message_delta') continue;
      parts.finish = event.delta.stop_reason;
      parts.output = event.usage.output_tokens;
    }
    return parts.told;
  },
};

const messagePlain: Kind = {
  name: 'message',
  async ask({ anthropic }) {
    const parts = new Parts();
    const answer = await anthropic.messages.create({
      model,
      max_tokens: 2000,
      messages: messages('survival'),
    });
    parts.arrived(answer.id);
    parts.text = answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    parts.finish = answer.stop_reason;
    parts.input = answer.usage.input_tokens + (answer.usage.cache_read_input_tokens ?? 0);
    parts.output = answer.usage.output_tokens;
    return parts.told;
  },
};

export const kinds: readonly Kind[] = [
  chatStream('survival'),
  chatPlain('limits'),
  chatStream('long story', 900),
  completionStream,
  chatPlain('long story', 500),
  { ...chatStream('emoji'), countsVary: true },
  responseStream,
  completionPlain,
  messageStream,
  chatPlain('thinking'),
  responsePlain,
  chatStream('streams', 20),
  messagePlain,
  { ...chatStream('thinking'), mayBreak: true },
];
