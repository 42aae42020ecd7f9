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
  setText,
  syncChildren,
  toggleEmpty,
} from './elements.js';
import { formatCount, formatDuration, formatMoney, formatRate, formatTime } from './format.js';

/**
 * @param {Snapshot['open']} open
 * @param {(id: string) => void} cancel
 */
export function showOpen(open, cancel) {
  syncChildren(getTableBody('open'), open, {
    getKey: ({ id }) => id,
    create({ id }) {
      const row = createRow(7);
      row.append(
        element(
          'td',
          '',
          createConfirmButton('Cancel', `request ${id}`, () => cancel(id)),
        ),
      );
      return row;
    },
    fill(row, { id, key, path, state, ageMs, tokens, tokensPerSecond }) {
      row.className = state;
      const values = [formatDuration(ageMs), formatCount(tokens), formatRate(tokensPerSecond)];
      fillRow(row, [shortId(id), key ?? '–', path, state, ...values]);
      row.firstElementChild?.setAttribute('title', id);
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
      const row = createRow(10);
      row.className = request.outcome;
      fillRow(row, getCells(request));
      row.children[1]?.setAttribute('title', request.id);
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
    ...[formatTime(at), shortId(id), key ?? '–', path, outcomeText.filter(Boolean).join(' ')],
    ...[formatDuration(queuedMs), formatDuration(firstTokenMs), formatDuration(ms)],
    ...[input, output].map((tokens) => (tokens === null ? '–' : formatCount(tokens))),
  ];
}

/**
 * The beginning of a long id, enough to tell it from others.
 * @param {string} id
 */
const shortId = (id) => (id.length > 14 ? `${id.slice(0, 8)}…` : id);

/** @param {Snapshot} now */
export function showKeys({ keys }) {
  syncChildren(getTableBody('keys'), keys ?? [], {
    getKey: ({ id }) => id,
    create() {
      const row = createRow(7);
      row.children[4]?.append(element('progress'), element('span'));
      return row;
    },
    fill(row, key) {
      const { id, state, expiresSoon, requests, errors, tokens, cost, costPerMillion } = key;
      const note = state === 'active' ? (expiresSoon ? ' · expires soon' : '') : ` · ${state}`;
      const [name, ...others] = row.children;
      if (name) setText(name, id + note);
      const texts = [
        formatCount(requests),
        formatCount(errors),
        formatCount(tokens),
        undefined,
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
