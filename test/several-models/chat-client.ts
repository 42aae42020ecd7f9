import { type Dispatcher, fetch } from 'undici';
import { parseEvents } from '../../sse/sse.ts';
import { chatTextIn } from '../harness/request-events.ts';

/** Where chats are sent to; `dispatcher` for a server on a unix socket. */
export interface ChatServer {
  readonly origin: string;
  readonly secret: string;
  readonly dispatcher?: Dispatcher;
}

export interface Chat {
  readonly model: string;
  readonly content: string;
  readonly stream: boolean;
  readonly maxTokens?: number;
  /** What the answer must be, to the byte. */
  readonly expected: string;
}

/** `cut`: the answer began and did not end. `wrong`: it ended with another text. */
export type ChatOutcome = 'exact' | 'wrong' | 'cut' | 'error';

export interface ChatResult {
  readonly outcome: ChatOutcome;
  readonly ms: number;
  /** What was wrong. */
  readonly problem?: string;
}

/** Sends a chat and compares its text. Never throws. */
export async function sendChat(server: ChatServer, chat: Chat): Promise<ChatResult> {
  const since = performance.now();
  const result = await readChat(server, chat).catch((error: Error) => ({
    outcome: 'error' as const,
    problem: String(error.cause ?? error),
  }));
  return { ...result, ms: performance.now() - since };
}

async function readChat(
  { origin, secret, dispatcher }: ChatServer,
  { model, content, stream, maxTokens, expected }: Chat,
): Promise<Omit<ChatResult, 'ms'>> {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ model, stream, temperature: 0, max_tokens: maxTokens },
      messages: [{ role: 'user', content }],
    }),
    ...(dispatcher && { dispatcher }),
  });
  const { text: body, isWhole } = await readBody(response);
  if (response.status !== 200) return { outcome: 'error', problem: `${model}: ${response.status} ${body}` };
  const text = stream ? chatTextIn(parseEvents(body)) : textOf(body);
  if (text === expected && isWhole && (!stream || body.includes('data: [DONE]'))) return { outcome: 'exact' };
  const outcome = expected.startsWith(text ?? '') ? 'cut' : 'wrong';
  const problem = `${model}: ${text?.length} of ${expected.length} characters; ends with ${body.slice(-200)}`;
  return { outcome, problem };
}

/** What arrives, although the connection may break. */
async function readBody(response: Awaited<ReturnType<typeof fetch>>) {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? [])
      text += decoder.decode(chunk as Uint8Array, { stream: true });
    return { text, isWhole: true };
  } catch {
    return { text, isWhole: false };
  }
}

function textOf(body: string): string | undefined {
  try {
    const { choices } = JSON.parse(body) as { choices?: { message: { content: string } }[] };
    return choices?.[0]?.message.content;
  } catch {
    return undefined;
  }
}
