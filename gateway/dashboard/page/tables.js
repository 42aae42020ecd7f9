/**
 * @import { Snapshot } from '../snapshot.ts'
 * @import { RecentRequest } from '../recent-requests.ts'
 */
import { byId, element, emptyRow, fillRow, keepInStep, say, showUnlessEmpty } from './elements.js';
import { count, duration, money, rate, timeOfDay } from './words.js';

/** @param {string} id */
const bodyOf = (id) => /** @type {HTMLElement} */ (byId(id).querySelector('tbody'));

/**
 * @param {Snapshot['open']} open
 * @param {(id: string) => void} cancel
 */
export function showOpen(open, cancel) {
  keepInStep(bodyOf('open'), open, {
    keyOf: ({ id }) => id,
    make({ id }) {
      const row = emptyRow(7);
      row.append(element('td', '', cancelButton(id, cancel)));
      return row;
    },
    fill(row, { id, key, path, state, ageMs, tokens, tokensPerSecond }) {
      row.className = state;
      const figures = [duration(ageMs), count(tokens), rate(tokensPerSecond)];
      fillRow(row, [shortId(id), key ?? '–', path, state, ...figures]);
      row.firstElementChild?.setAttribute('title', id);
    },
  });
  showUnlessEmpty('open', open.length === 0);
}

/** How long a first press waits for the second, ms. */
const PATIENCE = 4000;

/**
 * A button that wants to be pressed twice: a request that is cancelled does not come back.
 * @param {string} id
 * @param {(id: string) => void} cancel
 */
function cancelButton(id, cancel) {
  const button = /** @type {HTMLButtonElement} */ (element('button', 'quiet', 'Cancel'));
  button.type = 'button';
  const reset = () => {
    button.classList.remove('sure');
    say(button, 'Cancel');
    button.setAttribute('aria-label', `Cancel request ${id}`);
  };
  reset();
  button.addEventListener('click', () => {
    if (button.classList.contains('sure')) {
      button.disabled = true;
      return cancel(id);
    }
    button.classList.add('sure');
    say(button, 'Sure?');
    button.setAttribute('aria-label', `Sure? Press again to cancel request ${id}`);
    setTimeout(reset, PATIENCE);
  });
  return button;
}

const outcomeWords = { ok: '', refused: 'refused', broken_off: 'broken off', client_left: 'client left' };

/** @param {readonly RecentRequest[]} recent */
export function showRecent(recent) {
  keepInStep(bodyOf('recent'), recent, {
    keyOf: ({ id, at }) => `${at} ${id}`,
    make(request) {
      const row = emptyRow(10);
      row.className = request.outcome;
      fillRow(row, cellsOf(request));
      row.children[1]?.setAttribute('title', request.id);
      return row;
    },
    fill() {},
  });
  showUnlessEmpty('recent', recent.length === 0);
}

/** @param {RecentRequest} request */
function cellsOf({
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
  const words = [status, error ?? outcomeWords[outcome], rescued ? 'rescued' : ''];
  return [
    ...[timeOfDay(at), shortId(id), key ?? '–', path, words.filter(Boolean).join(' ')],
    ...[duration(queuedMs), duration(firstTokenMs), duration(ms)],
    ...[input, output].map((tokens) => (tokens === null ? '–' : count(tokens))),
  ];
}

/**
 * Enough of an id to tell it from its neighbours.
 * @param {string} id
 */
const shortId = (id) => (id.length > 14 ? `${id.slice(0, 8)}…` : id);

/** @param {Snapshot} now */
export function showKeys({ keys }) {
  keepInStep(bodyOf('keys'), keys ?? [], {
    keyOf: ({ id }) => id,
    make() {
      const row = emptyRow(7);
      row.children[4]?.append(element('progress'), element('span'));
      return row;
    },
    fill(row, key) {
      const { id, state, expiresSoon, requests, errors, tokens, cost, costPerMillion } = key;
      const note = state === 'active' ? (expiresSoon ? ' · expires soon' : '') : ` · ${state}`;
      const [name, ...others] = row.children;
      if (name) say(name, id + note);
      const texts = [
        count(requests),
        count(errors),
        count(tokens),
        undefined,
        money(cost),
        money(costPerMillion),
      ];
      others.forEach((cell, index) => {
        const text = texts[index];
        if (text !== undefined) say(cell, text);
      });
      fillBudget(row.children[4], key);
    },
  });
  const empty = byId('keys-empty');
  if (keys === null) say(empty, 'Authentication is off: nobody is told from anybody.');
  showUnlessEmpty('keys', (keys ?? []).length === 0);
}

/**
 * @param {Element | undefined} cell
 * @param {NonNullable<Snapshot['keys']>[number]} key
 */
function fillBudget(cell, { id, tokens, budget }) {
  const [bar, words] = cell?.children ?? [];
  if (!(bar instanceof HTMLProgressElement && words)) return;
  bar.hidden = budget === null;
  say(words, budget === null ? 'no limit' : `${Math.round((tokens / budget) * 100)} % of ${count(budget)}`);
  if (budget === null) return;
  bar.max = budget;
  bar.value = Math.min(tokens, budget);
  bar.classList.toggle('spent', tokens >= budget * 0.9);
  bar.setAttribute('aria-label', `Budget of ${id}`);
}
