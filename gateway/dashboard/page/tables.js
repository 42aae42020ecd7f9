/**
 * @import { Snapshot } from '../snapshot.ts'
 * @import { RecentRequest } from '../request-views.ts'
 */
import { createConfirmButton } from './confirm-button.js';
import {
  byId,
  createRow,
  element,
  fillRow,
  getTableBody,
  setName,
  setText,
  syncChildren,
  toggleEmpty,
} from './elements.js';
import {
  formatAge,
  formatCount,
  formatDateTime,
  formatDuration,
  formatMoney,
  formatOwner,
  formatRate,
  formatTime,
} from './format.js';

/**
 * @param {Snapshot['open']} open
 * @param {(id: string) => void} cancel
 */
export function showOpen(open, cancel) {
  syncChildren(getTableBody('open'), open, {
    getKey: ({ id }) => id,
    create({ id }) {
      const row = createRow('open');
      row.lastElementChild?.append(createConfirmButton('Cancel', `request ${id}`, () => cancel(id)));
      return row;
    },
    fill(row, { id, key, user, path, state, ageMs, tokens, tokensPerSecond }) {
      row.className = state;
      const values = [formatDuration(ageMs), formatCount(tokens), formatRate(tokensPerSecond)];
      fillRow(row, [id, formatOwner(key, user), path, state, ...values]);
      showNames(row, 0, id);
    },
  });
  toggleEmpty('open', open.length === 0);
}

const outcomeTexts = {
  ok: '',
  refused: 'rejected',
  broken_off: 'broken off',
  client_left: 'client disconnected',
};

/** @param {readonly RecentRequest[]} recent */
export function showRecent(recent) {
  syncChildren(getTableBody('recent'), recent, {
    getKey: ({ id, at }) => `${at} ${id}`,
    create(request) {
      const row = createRow('recent');
      row.className = request.outcome;
      fillRow(row, getCells(request));
      showNames(row, 1, request.id);
      return row;
    },
    fill() {},
  });
  toggleEmpty('recent', recent.length === 0);
}

/** @param {RecentRequest} request */
function getCells({
  at,
  id,
  key,
  user,
  path,
  status,
  outcome,
  error,
  queuedMs,
  firstTokenMs,
  ms,
  input,
  output,
  rescued,
}) {
  const outcomeText = [status, error ?? outcomeTexts[outcome], rescued ? 'recovered' : ''];
  return [
    ...[formatTime(at), id, formatOwner(key, user), path, outcomeText.filter(Boolean).join(' ')],
    ...[formatDuration(queuedMs), formatDuration(firstTokenMs), formatDuration(ms)],
    ...[input, output].map((tokens) => (tokens === null ? '–' : formatCount(tokens))),
  ];
}

/**
 * The id, which CSS cuts and a click selects as a whole, and in the cell after it the owner of a request.
 * @param {HTMLElement} row
 * @param {number} cell of the id
 * @param {string} id
 */
function showNames(row, cell, id) {
  const [idCell, ownerCell] = [row.children[cell], row.children[cell + 1]];
  idCell?.classList.add('id');
  idCell?.setAttribute('title', id);
  if (ownerCell) setName(ownerCell, ownerCell.textContent ?? '');
}

/** @param {Snapshot} now */
export function showKeys({ keys, keyCount, costPerHour, at }) {
  byId('keys').classList.toggle('without-cost', costPerHour === null);
  const shown = keys?.length ?? 0;
  setText(
    byId('keys-shown'),
    shown > 0 && shown < keyCount ? `${shown} of ${keyCount} keys: those with the most tokens` : '',
  );
  syncChildren(getTableBody('keys'), keys ?? [], {
    getKey: ({ id }) => id,
    create() {
      const row = createRow('keys');
      row.children[4]?.append(element('progress'), element('span'));
      return row;
    },
    fill(row, key) {
      const { id, requests, errors, tokens, lastUsed, cost, costPerMillion } = key;
      const [name, ...others] = row.children;
      if (name) setName(name, id, describeState(key));
      const texts = [
        formatCount(requests),
        formatCount(errors),
        formatCount(tokens),
        undefined,
        lastUsed === null ? 'never' : `${formatAge(at - lastUsed)} ago`,
        formatMoney(cost),
        formatMoney(costPerMillion),
      ];
      others.forEach((cell, index) => {
        const text = texts[index];
        if (text !== undefined) setText(cell, text);
      });
      fillBudget(row.children[4], key);
    },
  });
  const empty = byId('keys-empty');
  if (keys === null) setText(empty, 'Authentication is off, so there is no usage by key.');
  toggleEmpty('keys', (keys ?? []).length === 0);
}

/** @param {NonNullable<Snapshot['keys']>[number]} key */
function describeState({ state, expires, expiresSoon }) {
  if (state !== 'active') return ` · ${state}`;
  return expiresSoon && expires !== null ? ` · expires ${formatDateTime(expires)}` : '';
}

/**
 * @param {Element | undefined} cell
 * @param {NonNullable<Snapshot['keys']>[number]} key
 */
function fillBudget(cell, { id, tokens, budget }) {
  const [bar, text] = cell?.children ?? [];
  if (!(bar instanceof HTMLProgressElement && text)) return;
  bar.hidden = budget === null;
  setText(
    text,
    budget === null ? 'unlimited' : `${Math.round((tokens / budget) * 100)} % of ${formatCount(budget)}`,
  );
  if (budget === null) return;
  bar.max = budget;
  bar.value = Math.min(tokens, budget);
  bar.classList.toggle('nearly-spent', tokens >= budget * 0.9);
  bar.setAttribute('aria-label', `Daily budget of ${id}`);
}
