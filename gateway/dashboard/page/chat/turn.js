import { streamCompletion } from './api.js';
import { describeProblem } from './problem.js';

/** @import { Message } from './conversation.js' */

/**
 * Requests an answer and writes it into `message` as it arrives. Resolves when it has ended, in whatever way; `message`
 * then says how.
 * @param {object} options
 * @param {string | undefined} options.key
 * @param {object} options.request
 * @param {Message} options.message
 * @param {AbortSignal} options.signal
 * @param {(waiting?: string) => void} options.onChange with what the request waits for, if it does
 */
export async function runTurn({ key, request, message, signal, onChange }) {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const timing = { tokens: 0, isExact: false };
  /** @param {'content' | 'reasoning'} field @param {string} text */
  const add = (field, text) => {
    message[field] = (message[field] ?? '') + text;
    const now = elapsed();
    const { firstToken = now } = message.timing ?? {};
    if (field === 'content' && message.reasoning && message.timing?.thought === undefined)
      Object.assign(timing, { thought: now - firstToken });
    timing.tokens += 1;
    message.timing = { ...timing, firstToken, ...rate(timing.tokens, now - firstToken) };
  };
  try {
    for await (const part of streamCompletion(key, request, signal)) {
      if ('waiting' in part) onChange(part.waiting);
      else {
        if ('content' in part) add('content', part.content);
        else if ('reasoning' in part) add('reasoning', part.reasoning);
        else if ('tokens' in part) message.timing = { ...message.timing, ...part, isExact: true };
        else if (part.finish === 'length') message.ended = 'cut';
        onChange();
      }
    }
  } catch (error) {
    if (signal.aborted) message.ended = 'stopped';
    else message.problem = describeProblem(error);
  }
}

/**
 * Too short a time says nothing.
 * @param {number} tokens
 * @param {number} ms
 */
const rate = (tokens, ms) => (ms < 250 ? {} : { perSecond: ((tokens - 1) / ms) * 1000 });
