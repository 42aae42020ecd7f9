import { createCopyButton } from '../copy-button.js';
import { element, setText } from '../elements.js';
import { formatCount, formatDuration, formatRate } from '../format.js';
import { showMarkdown } from './markdown.js';

/** @import { Message } from './conversation.js' */

/**
 * @typedef {object} MessageActions
 * @property {() => void} retry
 * @property {() => void} changeKey
 */

/** Shorter messages fit on a small page. */
const LONG = 400;

/** Shows one message, and follows its changes. */
export class MessageView {
  #message;
  #text = element('div', 'text');
  #reasoning = element('details', 'reasoning');
  #reasoningTitle = element('summary');
  #reasoningText = element('div', 'text');
  #waiting = element('p', 'waiting-for');
  #problem = element('div', 'message-problem');
  #facts = element('p', 'facts');
  #tools = element('div', 'tools');
  #copy = createCopyButton('Copy response', () => this.#message.content);

  /**
   * @param {Message} message
   * @param {MessageActions} actions
   */
  constructor(message, { retry, changeKey }) {
    this.#message = message;
    const isUser = message.role === 'user';
    this.element = element('article', `message ${message.role}`);
    const name = element('h2', isUser ? 'unseen' : 'name', isUser ? 'You' : (message.model ?? 'Assistant'));
    if (isUser) {
      const text = element('div', 'text plain', message.content);
      // A long one scrolls, with the keyboard, too.
      if (message.content.length > LONG) text.tabIndex = 0;
      this.element.append(name, text);
      return;
    }
    this.#reasoning.append(this.#reasoningTitle, this.#reasoningText);
    const again = createButton('Try again', retry);
    this.#tools.append(
      createCopyButton('Copy response', () => message.content),
      again,
    );
    this.#problem.append(element('p'), element('p'), createButton('Use another key', changeKey));
    this.element.append(name, this.#reasoning, this.#text, this.#waiting, this.#problem);
    this.element.append(element('footer', '', this.#facts, this.#tools));
    this.update();
  }

  /**
   * @param {object} [state]
   * @param {boolean} [state.isOpen] whether more of it follows
   * @param {string | undefined} [state.waiting] the last comment of a stream that waits
   */
  update({ isOpen = false, waiting } = {}) {
    const { content, reasoning = '', timing, problem } = this.#message;
    showMarkdown(this.#text, content);
    this.#reasoning.hidden = reasoning === '';
    if (reasoning !== '') showMarkdown(this.#reasoningText, reasoning);
    const isThinking = isOpen && content === '';
    setText(this.#reasoningTitle, isThinking ? 'Thinking…' : thoughtFor(timing?.thought));
    const hasText = content !== '' || reasoning !== '';
    this.#waiting.hidden = !isOpen || (hasText && waiting === undefined);
    setText(this.#waiting, describeWaiting(waiting));
    this.#problem.hidden = problem === undefined;
    if (problem) this.#showProblem(problem);
    setText(this.#facts, describe(this.#message));
    this.#tools.hidden = isOpen;
    this.#copy.hidden = content === '';
    this.element.classList.toggle('open', isOpen);
  }

  /** @param {NonNullable<Message['problem']>} problem */
  #showProblem({ message, code, hint = '', needsKey = false }) {
    const [text, next, button] = this.#problem.children;
    const codeElement = code === undefined ? [] : [element('code', '', code), ' '];
    text?.replaceChildren(...codeElement, message);
    if (next) setText(next, hint);
    next?.toggleAttribute('hidden', hint === '');
    button?.toggleAttribute('hidden', !needsKey);
  }
}

/**
 * The comments of a waiting stream are such as `queued 3 of 12`, `loading tales, 42 %` or `keep-alive`.
 * @param {string | undefined} comment
 */
function describeWaiting(comment = '') {
  const [, place] = /^queued (\d+ of \d+)$/.exec(comment) ?? [];
  if (place !== undefined) return `In the queue: ${place}`;
  const [, model] = /^loading (.+)$/.exec(comment) ?? [];
  return model === undefined ? 'Waiting for the model…' : `Loading ${model}`;
}

/**
 * @param {string} text
 * @param {() => void} onClick
 */
function createButton(text, onClick) {
  const button = element('button', 'quiet', text);
  button.setAttribute('type', 'button');
  button.addEventListener('click', onClick);
  return button;
}

/** @param {number | undefined} ms */
const thoughtFor = (ms) => (ms === undefined ? 'Thoughts' : `Thought for ${formatDuration(ms)}`);

/** @param {Message} message */
function describe({ timing, ended }) {
  const { tokens = 0, isExact = false, perSecond, firstToken } = timing ?? {};
  return [
    ...(ended === 'stopped' ? ['stopped'] : []),
    ...(ended === 'cut' ? ['cut off at the token limit'] : []),
    ...(tokens > 0 ? [`${isExact ? '' : 'about '}${formatCount(tokens)} tokens`] : []),
    ...(perSecond === undefined ? [] : [`${formatRate(perSecond)} tokens/s`]),
    ...(firstToken === undefined ? [] : [`first token after ${formatDuration(firstToken)}`]),
  ].join(' · ');
}
