import { element, setText } from './elements.js';

/** How long a button confirms, ms. */
const CONFIRMATION = 1500;

/**
 * @param {string} label for screen readers
 * @param {() => string} getText
 */
export function createCopyButton(label, getText) {
  const button = element('button', 'quiet copy', 'Copy');
  button.setAttribute('type', 'button');
  button.setAttribute('aria-label', label);
  button.addEventListener('click', async () => {
    const isCopied = await copy(getText());
    setText(button, isCopied ? 'Copied' : 'Press Ctrl+C');
    button.setAttribute('aria-label', isCopied ? 'Copied' : 'Cannot copy: select the text and press Ctrl+C');
    setTimeout(() => {
      setText(button, 'Copy');
      button.setAttribute('aria-label', label);
    }, CONFIRMATION);
  });
  return button;
}

/**
 * Browsers offer the clipboard only to pages from https and localhost; elsewhere a selection is copied.
 * @param {string} text
 */
async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const area = /** @type {HTMLTextAreaElement} */ (element('textarea', 'unseen', text));
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
