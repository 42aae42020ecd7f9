import { createCopyButton } from '../copy-button.js';
import { element, setText } from '../elements.js';

/**
 * @param {string} text
 * @param {string | undefined} language as the model names it
 */
export function createCodeBlock(text, language = '') {
  const code = element('code', '', text);
  const pre = element('pre', '', code);
  // It may be wider than the page: the keyboard scrolls it, too.
  pre.tabIndex = 0;
  const caption = element('figcaption', '', element('span', '', language.split(/\s/)[0] ?? ''));
  caption.append(createCopyButton('Copy code', () => code.textContent ?? ''));
  return element('figure', 'code', caption, pre);
}

/**
 * Replaces the text of a block, whose element stays.
 * @param {Node} block
 * @param {string} text
 */
export function setCode(block, text) {
  const code = /** @type {HTMLElement} */ (block).querySelector('pre code');
  if (code) setText(code, text);
}
