/** The few things that the pages do with the document. All text goes in as text, never as markup. */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, className = '', ...children) {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

/**
 * Sets a text only where it differs, so that what somebody has selected stays selected.
 * @param {Element} target
 * @param {string} text
 */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Keeps the children of `parent` in step with `items`: one each, made once, filled at every call, in their order. What
 * stays keeps its focus.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ keyOf: (item: T) => string, make: (item: T) => HTMLElement, fill: (child: HTMLElement, item: T) => void }} ways
 */
export function keepInStep(parent, items, { keyOf, make, fill }) {
  const known = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const old = known.get(key);
    const child = old instanceof HTMLElement ? old : make(item);
    known.delete(key);
    child.setAttribute('data-key', key);
    fill(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const gone of known.values()) gone.remove();
}

/**
 * A row of a table that is filled cell by cell.
 * @param {number} cells
 */
export const emptyRow = (cells) => element('tr', '', ...Array.from({ length: cells }, () => element('td')));

/**
 * @param {HTMLElement} row
 * @param {readonly string[]} texts
 */
export function fillRow(row, texts) {
  texts.forEach((text, index) => {
    const cell = row.children[index];
    if (cell) say(cell, text);
  });
}

/**
 * Shows a table, or in its place why it is empty.
 * @param {string} id
 * @param {boolean} isEmpty
 */
export function showUnlessEmpty(id, isEmpty) {
  const shown = byId(id);
  (shown.closest('.scroll') ?? shown).toggleAttribute('hidden', isEmpty);
  byId(`${id}-empty`).toggleAttribute('hidden', !isEmpty);
}
