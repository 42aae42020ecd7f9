/** The conversation of this tab. The browser keeps it until the tab is closed, and never writes it to a shared place. */

/**
 * @typedef {object} Message
 * @property {'user' | 'assistant'} role
 * @property {string} content
 * @property {string} [reasoning]
 * @property {string} [model] that answered
 * @property {'stopped' | 'cut'} [ended] early: by the user, or at the limit of tokens
 * @property {import('./problem.js').Problem} [problem]
 * @property {Timing} [timing]
 */

/**
 * @typedef {object} Timing in ms
 * @property {number} [firstToken] after the request
 * @property {number} [thought] until the answer began
 * @property {number} tokens
 * @property {boolean} isExact whether the engine has counted the tokens
 * @property {number} [perSecond]
 */

/** @typedef {{ model: string, system: string, temperature: string, maxTokens: string }} Settings */

const KEY = 'corral.chat.key';
const CONVERSATION = 'corral.chat.conversation';

/** @typedef {{ settings: Settings, messages: Message[] }} Conversation */

/** @type {Conversation} */
const empty = { settings: { model: '', system: '', temperature: '', maxTokens: '' }, messages: [] };

export const loadKey = () => sessionStorage.getItem(KEY) ?? undefined;

/** @param {string} key */
export const saveKey = (key) => sessionStorage.setItem(KEY, key);

export const forgetKey = () => sessionStorage.removeItem(KEY);

export function forgetAll() {
  forgetKey();
  sessionStorage.removeItem(CONVERSATION);
}

/** A new one if nothing is saved that can be read. */
export function loadConversation() {
  const fresh = structuredClone(empty);
  try {
    const { settings, messages } = JSON.parse(sessionStorage.getItem(CONVERSATION) ?? '{}');
    if (!Array.isArray(messages)) return fresh;
    return /** @type {Conversation} */ ({ settings: { ...fresh.settings, ...settings }, messages });
  } catch {
    return fresh;
  }
}

/** @param {Conversation} conversation */
export function saveConversation(conversation) {
  try {
    sessionStorage.setItem(CONVERSATION, JSON.stringify(conversation));
  } catch {
    // Larger than browsers keep: it goes on, but is gone after a reload.
    sessionStorage.removeItem(CONVERSATION);
  }
}

/**
 * The body of a request for the next answer.
 * @param {Conversation} conversation
 */
export function toRequest({ settings: { model, system, temperature, maxTokens }, messages }) {
  return {
    model,
    messages: [
      ...(system.trim() === '' ? [] : [{ role: 'system', content: system }]),
      ...takeTurns(messages),
    ],
    ...(temperature !== '' && { temperature: Number(temperature) }),
    ...(maxTokens !== '' && { max_tokens: Number(maxTokens) }),
  };
}

/**
 * Without answers that failed. Chat templates of some models require that roles alternate.
 * @param {readonly Message[]} messages
 */
function takeTurns(messages) {
  /** @type {{ role: string, content: string }[]} */
  const turns = [];
  for (const { role, content } of messages) {
    const last = turns.at(-1);
    if (content === '') continue;
    if (last?.role === role) last.content += `\n\n${content}`;
    else turns.push({ role, content });
  }
  return turns;
}
