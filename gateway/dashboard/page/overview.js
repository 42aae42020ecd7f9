/** @import { Snapshot } from '../snapshot.ts' */
import { byId, element, setText, syncChildren, toggleEmpty } from './elements.js';
import {
  formatCount,
  formatDuration,
  formatEnergy,
  formatMoney,
  formatRate,
  formatSeconds,
} from './format.js';

const statusTexts = {
  ready: 'Ready',
  starting: 'Starting',
  loading: 'Loading the model',
  restarting: 'Restarting',
  draining: 'Shutting down',
  failed: 'Failed',
};

/** @param {Snapshot} now */
export function showStatus({ standing, sleeping, since, at, model, models, problems }) {
  const text = /** @type {Record<string, string>} */ (statusTexts)[standing] ?? standing;
  byId('status').dataset.status = sleeping ? 'sleeping' : standing;
  setText(byId('status-text'), `${sleeping ? 'Asleep' : text} for ${formatMinutes(at - since)}`);
  const several = models === null ? 0 : models.models.length;
  setText(byId('model'), several > 1 ? `${several} models` : (model.name ?? ''));
  document.title = `${standing === 'ready' ? '' : `${text} · `}Dashboard · llama-corral`;
  const list = byId('problems');
  list.hidden = problems.length === 0;
  syncChildren(list, problems, {
    getKey: (problem) => problem,
    create: () => element('li'),
    fill: setText,
  });
}

/**
 * Without seconds from one minute on: a text that changes every second distracts.
 * @param {number} ms
 */
function formatMinutes(ms) {
  if (ms < 60_000) return formatDuration(Math.floor(ms / 1000) * 1000);
  return formatDuration(ms).replace(/ \d+ s$/, '');
}

/** @param {Snapshot} now */
export function showTiles({ stats, slots, queue, price, costPerHour }) {
  setTile('tokens', formatRate(stats?.tokens ?? 0), '');
  setTile(
    'first-token',
    formatSeconds(stats?.firstTokenP50),
    `95th percentile: ${formatSeconds(stats?.firstTokenP95)}`,
  );
  // Not from `stats`, which may differ from the slots and tables below.
  setTile('running', formatCount(slots.busy), `of ${formatCount(slots.total)} slots`);
  setTile('waiting', formatCount(queue.waiting), `of at most ${formatCount(queue.limit)}`);
  const energy = price.joulesPerOutputToken;
  const perToken = energy === undefined ? '' : `${formatEnergy(energy)} J per token`;
  if (costPerHour === null) setTile('money', perToken === '' ? '–' : perToken, 'COST_PER_HOUR is not set');
  else
    setTile(
      'money',
      formatMoney(price.costPerMillionOutputTokens),
      [`${formatMoney(costPerHour)} per hour`, perToken].filter(Boolean).join(' · '),
    );
}

/**
 * @param {string} id
 * @param {string} value
 * @param {string} detail
 */
function setTile(id, value, detail) {
  setText(byId(id), value);
  setText(byId(`${id}-aside`), detail);
}

/** Further slots are shown as numbers only. */
const MAX_DRAWN_SLOTS = 256;

/** @param {Snapshot} now */
export function showSlots({ slots, lanes, queue }) {
  const container = byId('slots');
  const drawn = Math.min(Math.max(slots.total, slots.busy), MAX_DRAWN_SLOTS);
  while (container.children.length > drawn) container.lastElementChild?.remove();
  while (container.children.length < drawn) container.append(element('span'));
  [...container.children].forEach((slot, index) => {
    slot.classList.toggle('busy', index < slots.busy);
  });
  const label = `${slots.busy} of ${slots.total} slots are busy, ${queue.waiting} waiting`;
  container.setAttribute('aria-label', label);
  const fullest = Math.max(...lanes.map((lane) => lane.running + lane.waiting));
  syncChildren(byId('lanes'), lanes, {
    getKey: ({ key }) => key ?? '',
    create: createLane,
    fill: (item, lane) => fillLane(item, lane, fullest),
  });
  toggleEmpty('lanes', lanes.length === 0);
}

const createLane = () =>
  element(
    'li',
    '',
    element('span', 'lane-key'),
    element('span', 'lane-bar', element('i', 'bar-running'), element('i', 'bar-waiting'), element('i')),
    element('span', 'lane-text'),
  );

/**
 * @param {HTMLElement} item
 * @param {Snapshot['lanes'][number]} lane
 * @param {number} fullest the number of requests in the fullest lane
 */
function fillLane(item, { key, priority, running, waiting }, fullest) {
  const [name, bar, text] = item.children;
  if (!(name && bar && text)) return;
  setText(name, `${key ?? 'no key'}${priority === 'normal' ? '' : ` · ${priority}`}`);
  const parts = [running, waiting, fullest - running - waiting];
  [...bar.children].forEach((part, index) => {
    if (part instanceof HTMLElement) part.style.flexGrow = String(parts[index]);
  });
  setText(text, `${running} running, ${waiting} waiting`);
}
