import { randomUUID } from 'node:crypto';
import { type Dispatcher, fetch } from 'undici';

/** One of several servers that a conversation may be sent to; `dispatcher` for a server on a unix socket. */
export interface ConversationServer {
  readonly origin: string;
  readonly secret: string;
  readonly dispatcher?: Dispatcher;
}

export interface Conversations {
  readonly model: string;
  readonly conversations: number;
  readonly turns: number;
  /** How many of them are held at once. */
  readonly atOnce: number;
  /** Where a turn is sent to. */
  serverOf(request: number): ConversationServer;
}

export interface ConversationTotals {
  /** Over all turns but the first of each conversation: a prompt that nobody has seen is in no cache. */
  readonly cachedShare: number;
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** Holds conversations whose every turn sends all that was said so far. */
export async function holdConversations(options: Conversations): Promise<ConversationTotals> {
  const problems: string[] = [];
  let [next, requests, prompt, cached] = [0, 0, 0, 0];
  const since = performance.now();
  const hold = async () => {
    while (next < options.conversations) {
      next += 1;
      const messages = [{ role: 'user', content: `${randomUUID()}: about keys` }];
      for (let turn = 0; turn < options.turns; turn++) {
        const answer = await ask(options.serverOf(requests++), options.model, messages);
        if (typeof answer === 'string') {
          problems.push(answer);
          break;
        }
        if (turn > 0) {
          prompt += answer.usage.prompt_tokens;
          cached += answer.usage.prompt_tokens_details?.cached_tokens ?? 0;
        }
        messages.push(answer.choices[0].message, { role: 'user', content: 'And more about keys' });
      }
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, hold));
  return { cachedShare: cached / prompt, problems, seconds: (performance.now() - since) / 1000 };
}

interface Answer {
  readonly choices: readonly [{ readonly message: { readonly role: string; readonly content: string } }];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  };
}

/** What was wrong, if there is no answer. */
async function ask(
  { origin, secret, dispatcher }: ConversationServer,
  model: string,
  messages: readonly object[],
): Promise<Answer | string> {
  try {
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages, max_tokens: 32, temperature: 0 }),
      ...(dispatcher && { dispatcher }),
    });
    if (response.status === 200) return (await response.json()) as Answer;
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
}
