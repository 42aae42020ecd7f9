import { element, setText } from './elements.js';

/** Time for the second press, ms. */
const CONFIRM_TIMEOUT = 4000;

/**
 * A button that must be pressed twice, as what it does cannot be undone by another press.
 * @param {string} text
 * @param {string} label what it does, for screen readers: "cancel request abc"
 * @param {() => void} act called once; the button stays disabled
 */
export function createConfirmButton(text, label, act) {
  const button = createButton(text, `${text} ${label}`, () => {
    if (button.classList.contains('sure')) {
      button.disabled = true;
      return act();
    }
    button.classList.add('sure');
    setText(button, 'Sure?');
    button.setAttribute('aria-label', `Sure? Press again to ${text.toLowerCase()} ${label}`);
    setTimeout(reset, CONFIRM_TIMEOUT);
  });
  const reset = () => {
    button.classList.remove('sure');
    setText(button, text);
    button.setAttribute('aria-label', `${text} ${label}`);
  };
  return button;
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} act
 */
export function createButton(text, label, act) {
  const button = /** @type {HTMLButtonElement} */ (element('button', 'quiet', text));
  button.type = 'button';
  button.setAttribute('aria-label', label);
  button.addEventListener('click', act);
  return button;
}
