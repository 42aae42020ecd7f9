/** @import { Snapshot } from '../snapshot.ts' */
import { byId, element, keepInStep, say, showUnlessEmpty } from './elements.js';
import { count, duration, durationOfSeconds, money, rate } from './words.js';

const standingWords = {
  ready: 'Ready',
  starting: 'Starting',
  loading: 'Loading the model',
  restarting: 'Restarting',
  draining: 'Shutting down',
  failed: 'Failed',
};

/** @param {Snapshot} now */
export function showStanding({ standing, sleeping, since, at, model, problems }) {
  const known = /** @type {Record<string, string>} */ (standingWords)[standing] ?? standing;
  byId('standing').dataset.standing = sleeping ? 'sleeping' : standing;
  say(byId('standing-text'), `${sleeping ? 'Asleep' : known} for ${minutes(at - since)}`);
  say(byId('model'), model.name ?? '');
  document.title = `${standing === 'ready' ? '' : `${known} · `}Dashboard · llama-corral`;
  const list = byId('problems');
  list.hidden = problems.length === 0;
  keepInStep(list, problems, { keyOf: (problem) => problem, make: () => element('li'), fill: say });
}

/**
 * In whole minutes once there are any: what changes every second draws the eye.
 * @param {number} ms
 */
function minutes(ms) {
  return ms < 60_000 ? duration(Math.floor(ms / 1000) * 1000) : duration(ms).replace(/ \d+ s$/, '');
}

/** @param {Snapshot} now */
export function showFigures({ pulse, slots, line, price, costPerHour }) {
  tell('tokens', rate(pulse?.tokens ?? 0), '');
  tell(
    'first-token',
    durationOfSeconds(pulse?.firstTokenP50),
    `95 %: ${durationOfSeconds(pulse?.firstTokenP95)}`,
  );
  // Of the same moment as the slots and tables below, which would contradict them otherwise.
  tell('running', count(slots.busy), `of ${count(slots.total)} slots`);
  tell('waiting', count(line.waiting), `of ${count(line.most)} places`);
  const energy = price.joulesPerOutputToken;
  const perToken =
    energy === undefined ? '' : `${energy < 10 ? energy.toFixed(2) : Math.round(energy)} J a token`;
  if (costPerHour === null) tell('money', perToken === '' ? '–' : perToken, 'COST_PER_HOUR is not set');
  else
    tell(
      'money',
      money(price.costPerMillionOutputTokens),
      [`${money(costPerHour)} an hour`, perToken].filter(Boolean).join(' · '),
    );
}

/**
 * @param {string} id
 * @param {string} value
 * @param {string} aside
 */
function tell(id, value, aside) {
  say(byId(id), value);
  say(byId(`${id}-aside`), aside);
}

/** More than this many slots are told in numbers only. */
const MOST_DRAWN = 256;

/** @param {Snapshot} now */
export function showSlots({ slots, lanes, line }) {
  const place = byId('slots');
  const drawn = Math.min(Math.max(slots.total, slots.busy), MOST_DRAWN);
  while (place.children.length > drawn) place.lastElementChild?.remove();
  while (place.children.length < drawn) place.append(element('span'));
  [...place.children].forEach((slot, index) => {
    slot.classList.toggle('busy', index < slots.busy);
  });
  place.setAttribute('aria-label', `${slots.busy} of ${slots.total} slots are busy, ${line.waiting} wait`);
  const fullest = Math.max(...lanes.map(({ running, waiting }) => running + waiting));
  keepInStep(byId('lanes'), lanes, {
    keyOf: ({ key }) => key ?? '',
    make: newLane,
    fill: (item, lane) => fillLane(item, lane, fullest),
  });
  showUnlessEmpty('lanes', lanes.length === 0);
}

const newLane = () =>
  element(
    'li',
    '',
    element('span', 'lane-key'),
    element('span', 'lane-bar', element('i', 'bar-running'), element('i', 'bar-waiting'), element('i')),
    element('span', 'lane-words'),
  );

/**
 * @param {HTMLElement} item
 * @param {Snapshot['lanes'][number]} lane
 * @param {number} fullest how many the fullest lane holds
 */
function fillLane(item, { key, priority, running, waiting }, fullest) {
  const [name, bar, words] = item.children;
  if (!(name && bar && words)) return;
  say(name, `${key ?? 'everybody'}${priority === 'normal' ? '' : ` · ${priority}`}`);
  const parts = [running, waiting, fullest - running - waiting];
  [...bar.children].forEach((part, index) => {
    if (part instanceof HTMLElement) part.style.flexGrow = String(parts[index]);
  });
  say(words, `${running} running, ${waiting} waiting`);
}
