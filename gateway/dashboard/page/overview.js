/**
 * @import { LastCrash } from '../dashboard.ts'
 * @import { Snapshot } from '../snapshot.ts'
 * @import { Charts } from './charts.js'
 */
import { byId, element, setName, setText, syncChildren, toggleEmpty } from './elements.js';
import {
  formatAge,
  formatCount,
  formatEnergy,
  formatMoney,
  formatOwner,
  formatRate,
  formatSeconds,
  formatTime,
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
  setText(byId('status-text'), `${sleeping ? 'Asleep' : text} for ${formatAge(at - since)}`);
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

/** @param {Snapshot} now */
export function showTiles({ stats, slots, queue, price, costPerHour }) {
  setTile('first-token', formatSeconds(stats?.firstTokenP50), `p95 ${formatSeconds(stats?.firstTokenP95)}`);
  // Not from `stats`, which may differ from the slots and tables below.
  setTile('running', formatCount(slots.busy), `of ${formatCount(slots.total)} slots`);
  setTile('waiting', formatCount(queue.waiting), `of at most ${formatCount(queue.limit)}`);
  const energy = price.joulesPerOutputToken;
  const perToken = energy === undefined ? '' : `${formatEnergy(energy)} J per token`;
  byId('money-tile').hidden = costPerHour === null && perToken === '';
  if (costPerHour === null) setTile('money', perToken, 'COST_PER_HOUR is not set');
  else
    setTile(
      'money',
      formatMoney(price.costPerMillionOutputTokens),
      [`${formatMoney(costPerHour)} per hour`, perToken].filter(Boolean).join(' · '),
    );
}

/** Seconds over which errors are counted. */
const ERROR_SECONDS = 300;

/** @param {Charts} charts */
export function showRates(charts) {
  setTile('tokens', formatRate(charts.tokensPerSecond), '');
  const { requests, errors } = charts.countFinished(ERROR_SECONDS);
  setTile('errors', formatCount(errors), `of ${formatCount(requests)} requests in 5 min`);
  byId('errors').classList.toggle('bad', errors > 0);
}

/** A crash is shown at the top for so long, ms. */
const CRASH_NEWS = 3_600_000;

/**
 * @param {Snapshot} now
 * @param {LastCrash | null} crash
 */
export function showCrashNews({ at }, crash) {
  const recent = (crash?.crashes ?? []).filter((one) => at - one.at < CRASH_NEWS);
  const [last] = recent;
  const news = byId('crash-news');
  news.hidden = last === undefined;
  if (last === undefined) return;
  const times = recent.length === 1 ? 'crashed' : `${recent.length} crashes in the last hour, the last`;
  setText(news, `${recent.length === 1 ? `${last.who} ` : ''}${times} ${formatAge(at - last.at)} ago`);
}

/**
 * The gateway is unreachable: what is on the page is old.
 * @param {number | undefined} at when it was current, ms since 1970
 */
export function showStale(at) {
  document.body.classList.add('stale');
  setText(byId('status-text'), 'Not reachable');
  const asOf = at === undefined ? '' : ` Values as of ${formatTime(at)}.`;
  setText(byId('connection'), `Cannot reach the gateway.${asOf} Reconnecting…`);
  byId('connection').hidden = false;
}

export function showCurrent() {
  document.body.classList.remove('stale');
  byId('connection').hidden = true;
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
    getKey: ({ key, user }) => formatOwner(key, user),
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
function fillLane(item, { key, user, priority, running, waiting }, fullest) {
  const [name, bar, text] = item.children;
  if (!(name && bar && text)) return;
  setName(name, formatOwner(key, user, 'no key'), priority === 'normal' ? '' : ` · ${priority}`);
  const parts = [running, waiting, fullest - running - waiting];
  [...bar.children].forEach((part, index) => {
    if (part instanceof HTMLElement) part.style.flexGrow = String(parts[index]);
  });
  setText(text, `${running} running, ${waiting} waiting`);
}
