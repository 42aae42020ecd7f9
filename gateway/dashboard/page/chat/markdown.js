/**
 * Shows Markdown that a model wrote. It is untrusted: elements are created one by one and text is set as text, so no markup
 * in it takes effect. Images become links, as loading one could send the conversation to another server.
 */

import { element } from '../elements.js';
import { Lexer } from '../marked.js';
import { createCodeBlock, setCode } from './code-block.js';

/** @import { MarkedToken, Token, Tokens } from 'marked' */

/** Longer text is shown as it is: text could be written so that reading it as Markdown takes long. */
const MAX_LENGTH = 100_000;
/** Browsers lay out nested elements recursively. */
const MAX_DEPTH = 30;

/**
 * What each block was made from.
 * @type {WeakMap<Node, MarkedToken>}
 */
const sources = new WeakMap();

/**
 * Makes `target` show `text`. Blocks that are unchanged stay, with their selection.
 * @param {HTMLElement} target
 * @param {string} text
 */
export function showMarkdown(target, text) {
  const tokens = readBlocks(text);
  tokens.forEach((token, index) => {
    const old = target.childNodes[index];
    const source = old && sources.get(old);
    if (source?.raw === token.raw && source.type === token.type) return;
    const isSameCode = source?.type === 'code' && token.type === 'code' && source.lang === token.lang;
    if (old && isSameCode) setCode(old, token.text);
    const block = old && isSameCode ? old : createBlock(token);
    sources.set(block, token);
    if (old === undefined) target.append(block);
    else if (old !== block) old.replaceWith(block);
  });
  while (target.childNodes.length > tokens.length) target.lastChild?.remove();
}

/**
 * @param {string} text
 * @returns {MarkedToken[]}
 */
function readBlocks(text) {
  const plain = /** @type {MarkedToken} */ ({ type: 'text', raw: text, text });
  if (text.length > MAX_LENGTH) return [plain];
  try {
    return known(new Lexer({ gfm: true, breaks: true }).lex(text)).filter(isShown);
  } catch {
    // Nested so deeply that it cannot be read.
    return [plain];
  }
}

/** @param {MarkedToken} token */
const isShown = ({ type }) => type !== 'space' && type !== 'def';

/**
 * Without extensions, there are no other tokens.
 * @param {Token[] | undefined} tokens
 */
const known = (tokens = []) => /** @type {MarkedToken[]} */ (tokens);

/**
 * @param {MarkedToken} token
 * @param {number} [depth]
 * @returns {boolean}
 */
function isTooDeep(token, depth = 0) {
  return depth > MAX_DEPTH || childrenOf(token).some((child) => isTooDeep(child, depth + 1));
}

/**
 * @param {MarkedToken} token
 * @returns {MarkedToken[]}
 */
function childrenOf(token) {
  if (token.type === 'list') return token.items;
  if (token.type === 'table')
    return [...token.header, ...token.rows.flat()].flatMap((cell) => known(cell.tokens));
  return known('tokens' in token ? token.tokens : []);
}

/**
 * @param {MarkedToken} token
 * @returns {HTMLElement}
 */
function createBlock(token) {
  return isTooDeep(token) ? element('p', '', token.raw) : createShallowBlock(token);
}

/**
 * @param {MarkedToken} token
 * @returns {HTMLElement}
 */
function createShallowBlock(token) {
  switch (token.type) {
    case 'heading':
      // Below the heading of the message, whatever levels the model uses.
      return element('h3', `level-${token.depth}`, ...inline(token.tokens));
    case 'code':
      return createCodeBlock(token.text, token.lang);
    case 'blockquote':
      return element('blockquote', '', ...blocks(token.tokens));
    case 'list':
      return createList(token);
    case 'table':
      return createTable(token);
    case 'hr':
      return element('hr');
    case 'paragraph':
      return element('p', '', ...inline(token.tokens));
    default:
      return element('p', '', ...('tokens' in token ? inline(token.tokens) : [token.raw]));
  }
}

/** @param {Token[]} tokens */
const blocks = (tokens) => known(tokens).filter(isShown).map(createShallowBlock);

/** @param {Tokens.List} list */
function createList({ ordered, start, items }) {
  const list = element(ordered ? 'ol' : 'ul', '', ...items.map(createListItem));
  if (list instanceof HTMLOListElement && typeof start === 'number') list.start = start;
  return list;
}

/** @param {Tokens.ListItem} item */
function createListItem({ tokens, task, checked }) {
  const children = known(tokens)
    .filter(isShown)
    .flatMap((token) => {
      if (token.type === 'checkbox') return [];
      return token.type === 'text' ? inline(token.tokens ?? [token]) : [createShallowBlock(token)];
    });
  return element('li', '', ...(task ? [checked ? '☑ ' : '☐ '] : []), ...children);
}

/** @param {Tokens.Table} table */
function createTable({ header, rows }) {
  /** @param {'th' | 'td'} tag */
  const row = (tag) => (/** @type {Tokens.TableCell[]} */ cells) =>
    element('tr', '', ...cells.map(({ tokens }) => element(tag, '', ...inline(tokens))));
  const head = element('thead', '', row('th')(header));
  const table = element('table', '', head, element('tbody', '', ...rows.map(row('td'))));
  const frame = element('div', 'table-frame', table);
  frame.tabIndex = 0;
  return frame;
}

/**
 * @param {Token[] | undefined} tokens
 * @returns {(Node | string)[]}
 */
function inline(tokens) {
  return known(tokens).map((token) => {
    switch (token.type) {
      case 'strong':
      case 'em':
      case 'del':
        return element(token.type, '', ...inline(token.tokens));
      case 'codespan':
        return element('code', '', token.text);
      case 'br':
        return element('br');
      case 'link':
        return createLink(token.href, inline(token.tokens));
      case 'image':
        return createLink(token.href, [token.text || token.href]);
      case 'html':
        return /^<br\s*\/?>$/i.test(token.raw) ? element('br') : token.raw;
      case 'escape':
        return token.text;
      case 'text':
        return token.tokens ? element('span', '', ...inline(token.tokens)) : decodeEntities(token.raw);
      default:
        return token.raw;
    }
  });
}

/**
 * A link to the web, which reveals nothing of this page to the other server; otherwise its text alone.
 * @param {string} href
 * @param {(Node | string)[]} children
 */
function createLink(href, children) {
  if (!/^(https?|mailto):/i.test(href) || !URL.canParse(href)) return element('span', '', ...children);
  const link = /** @type {HTMLAnchorElement} */ (element('a', '', ...children));
  link.href = href;
  // Where it leads, whatever its text says.
  link.title = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  return link;
}

/** @type {Readonly<Record<string, string>>} */
const entities = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&nbsp;': ' ' };

/** @param {string} text */
const decodeEntities = (text) =>
  text.replace(/&(?:amp|lt|gt|quot|nbsp|#39);/g, (entity) => entities[entity] ?? entity);
