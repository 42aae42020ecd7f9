/** DOM helpers of the pages. All text is set as text, never as markup. */

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
 * @param {string} id of a table
 */
export const getTableBody = (id) => /** @type {HTMLElement} */ (byId(id).querySelector('tbody'));

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, className = '', ...children) {
  const created = document.createElement(tag);
  if (className !== '') created.className = className;
  created.append(...children);
  return created;
}

/**
 * Does nothing if the text is unchanged, so that a selection in it is kept.
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Makes the children of `parent` match `items`: each child is created once and filled at every call, in the order of the
 * items. Children that stay keep their focus.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ getKey: (item: T) => string, create: (item: T) => HTMLElement, fill: (child: HTMLElement, item: T) => void }} options
 */
export function syncChildren(parent, items, { getKey, create, fill }) {
  const known = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = getKey(item);
    const old = known.get(key);
    const child = old instanceof HTMLElement ? old : create(item);
    known.delete(key);
    child.setAttribute('data-key', key);
    fill(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const removed of known.values()) removed.remove();
}

/** The last characters of a long name, which CSS never cuts. */
const NAME_END = 8;

/**
 * Shows a name of up to 64 characters, followed by a note. Where there is too little space its middle is cut, as names
 * often differ at their ends alone.
 * @param {Element} target
 * @param {string} name
 * @param {string} [note]
 */
export function setName(target, name, note = '') {
  if (target.textContent === name + note && target.children.length > 0) return;
  const isLong = name.length > 2 * NAME_END;
  const [start, end] = isLong ? [name.slice(0, -NAME_END), name.slice(-NAME_END)] : [name, ''];
  const parts = element('span', 'name', element('span', '', start), element('span', '', end + note));
  parts.title = name;
  target.replaceChildren(parts);
}

/**
 * A row without text for the table with this id. Its cells know the names of their columns, which phones show beside them.
 * @param {string} id
 */
export function createRow(id) {
  const columns = [...byId(id).querySelectorAll('th')].map(({ textContent }) => textContent);
  const cells = columns.map((column) => {
    const cell = element('td');
    cell.dataset.column = column;
    return cell;
  });
  return element('tr', '', ...cells);
}

/**
 * @param {HTMLElement} row
 * @param {readonly string[]} texts
 */
export function fillRow(row, texts) {
  texts.forEach((text, index) => {
    const cell = row.children[index];
    if (cell) setText(cell, text);
  });
}

/**
 * Shows the content, or the message for its absence.
 * @param {string} id
 * @param {boolean} isEmpty
 */
export function toggleEmpty(id, isEmpty) {
  const content = byId(id);
  (content.closest('.scroll') ?? content).toggleAttribute('hidden', isEmpty);
  byId(`${id}-empty`).toggleAttribute('hidden', !isEmpty);
}
