import { byId, setText } from '../elements.js';
import { showRunning } from './composer.js';
import { saveConversation, toRequest } from './conversation.js';
import { everyFrame, follow, scrollToEnd } from './follow.js';
import { MessageView } from './message-view.js';
import { runTurn } from './turn.js';

/** @import { Conversation, Message } from './conversation.js' */

/** The messages on the page, and the response that is being generated. */
export class Thread {
  #list = byId('messages');
  #conversation;
  #getKey;
  #changeKey;
  #onEnd;
  /**
   * Of the response that is being generated.
   * @type {AbortController | undefined}
   */
  #running;

  /**
   * @param {Conversation} conversation
   * @param {{ getKey: () => string | undefined, changeKey: () => void, onEnd: () => void }} options
   */
  constructor(conversation, { getKey, changeKey, onEnd }) {
    this.#conversation = conversation;
    this.#getKey = getKey;
    this.#changeKey = changeKey;
    this.#onEnd = onEnd;
    for (const message of conversation.messages) this.#show(message);
    this.showGreeting();
  }

  showGreeting() {
    const { messages, settings } = this.#conversation;
    byId('greeting').hidden = messages.length > 0;
    setText(byId('greeting-model'), settings.model || 'the model');
  }

  /**
   * Returns false while a response is being generated, and before there is a model.
   * @param {string} text
   */
  submit(text) {
    if (this.#running || this.#conversation.settings.model === '') return false;
    this.#add({ role: 'user', content: text });
    void this.#answer();
    return true;
  }

  stop() {
    this.#running?.abort();
  }

  clear() {
    this.stop();
    this.#conversation.messages = [];
    this.#list.replaceChildren();
    this.showGreeting();
    saveConversation(this.#conversation);
  }

  /** The page is left: what there is of a response is kept. */
  close() {
    const last = this.#conversation.messages.at(-1);
    if (this.#running && last) last.ended = 'stopped';
    this.stop();
    saveConversation(this.#conversation);
  }

  /** @param {Message} message */
  #add(message) {
    this.#conversation.messages.push(message);
    this.showGreeting();
    return this.#show(message);
  }

  /** @param {Message} message */
  #show(message) {
    const view = new MessageView(message, {
      retry: () => this.#retry(message),
      changeKey: this.#changeKey,
    });
    this.#list.append(view.element);
    return view;
  }

  /**
   * Requests another response in its place. What came after it is removed.
   * @param {Message} message
   */
  #retry(message) {
    const { messages } = this.#conversation;
    const index = messages.indexOf(message);
    if (this.#running || index === -1) return;
    messages.length = index;
    while (this.#list.children.length > index) this.#list.lastElementChild?.remove();
    void this.#answer();
  }

  async #answer() {
    const request = toRequest(this.#conversation);
    /** @type {Message} */
    const message = { role: 'assistant', content: '', model: request.model };
    const view = this.#add(message);
    const own = new AbortController();
    this.#running = own;
    this.#showRunning(true);
    view.update({ isOpen: true });
    scrollToEnd();
    /** @type {string | undefined} */
    let waiting;
    const update = everyFrame(() => {
      if (this.#running === own) view.update({ isOpen: true, waiting });
    });
    await runTurn({
      ...{ key: this.#getKey(), request, message, signal: own.signal },
      onChange(comment) {
        waiting = comment;
        update();
      },
    });
    follow(() => view.update());
    // A new chat may have begun meanwhile, with a response of its own.
    if (this.#running !== own) return;
    this.#running = undefined;
    this.#showRunning(false);
    const { problem } = message;
    setText(byId('announcement'), problem ? `Error: ${problem.message}` : 'The response has ended.');
    saveConversation(this.#conversation);
    if (!problem) this.#onEnd();
  }

  /** @param {boolean} isRunning */
  #showRunning(isRunning) {
    showRunning(isRunning);
    this.#list.setAttribute('aria-busy', String(isRunning));
    if (isRunning) setText(byId('announcement'), 'The response has begun.');
  }
}
