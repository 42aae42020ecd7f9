import { byId } from '../elements.js';

/**
 * Sets up the field for messages and its buttons.
 * @param {object} actions
 * @param {(text: string) => boolean} actions.submit returns whether the message was sent
 * @param {() => void} actions.stop
 */
export function setUpComposer({ submit, stop }) {
  const prompt = /** @type {HTMLTextAreaElement} */ (byId('prompt'));
  /** The field grows with its text. */
  const adjustHeight = () => {
    prompt.style.height = 'auto';
    prompt.style.height = `${prompt.scrollHeight}px`;
  };
  const send = () => {
    if (prompt.value.trim() === '' || !submit(prompt.value)) return;
    prompt.value = '';
    adjustHeight();
  };
  prompt.addEventListener('input', adjustHeight);
  prompt.addEventListener('keydown', (event) => {
    // Enter also ends the input of a Chinese, Japanese or Korean word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  byId('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    send();
  });
  byId('stop').addEventListener('click', () => {
    stop();
    prompt.focus();
  });
  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape' && !document.querySelector('dialog[open]')) stop();
  });
  for (const suggestion of byId('suggestions').querySelectorAll('button'))
    suggestion.addEventListener('click', () => submit(suggestion.textContent ?? ''));
}

/** @param {boolean} isRunning */
export function showRunning(isRunning) {
  byId('send').hidden = isRunning;
  byId('stop').hidden = !isRunning;
}
