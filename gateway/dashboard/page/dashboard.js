/**
 * @import { LastCrash } from '../dashboard.ts'
 * @import { StatsSample } from '../stats-sampler.ts'
 * @import { RecentRequest } from '../request-views.ts'
 * @import { Snapshot } from '../snapshot.ts'
 */
import { showBatches } from './batches.js';
import { Charts } from './charts.js';
import { byId, setText } from './elements.js';
import { showCrash, showEngine, showGpus, showStartup } from './engine.js';
import { showModels } from './models.js';
import {
  showCrashNews,
  showCurrent,
  showRates,
  showSlots,
  showStale,
  showStatus,
  showTiles,
} from './overview.js';
import { showKeys, showOpen, showRecent } from './tables.js';

/** Delay before another attempt to reach the gateway, ms. */
const RETRY_DELAY = 1500;
/** The gateway sends an event every second; without one for so long it counts as unreachable, ms. */
const EVENT_TIMEOUT = 10_000;

const charts = new Charts();
/** @type {LastCrash | null} */
let lastCrash = null;
/** @type {number | undefined} */
let shownAt;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let eventTimer;

connect();
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
setText(byId('footer'), `Times are those of this browser (${timeZone}).`);
document.getElementById('log-out')?.addEventListener('click', logOut);

function connect() {
  const events = new EventSource('dashboard/events');
  const disconnect = () => {
    events.close();
    clearTimeout(eventTimer);
    reconnect();
  };
  /**
   * @template T
   * @param {string} name
   * @param {(data: T) => void} show
   */
  const on = (name, show) =>
    events.addEventListener(name, ({ data }) => {
      clearTimeout(eventTimer);
      eventTimer = setTimeout(disconnect, EVENT_TIMEOUT);
      show(JSON.parse(data));
    });
  on('history', (/** @type {StatsSample[]} */ samples) => charts.setSamples(samples));
  on('now', showNow);
  on('recent', (/** @type {RecentRequest[]} */ recent) => showRecent(recent));
  on('crash', (/** @type {LastCrash | null} */ crash) => {
    lastCrash = crash;
    showCrash(crash);
    charts.setCrashes(crash?.crashes ?? []);
  });
  on('ended', () => leave('Your session has ended. Log in again.'));
  events.addEventListener('error', disconnect);
}

/** @param {Snapshot} now */
function showNow(now) {
  showStatus(now);
  showTiles(now);
  showSlots(now);
  showModels(now, post);
  showBatches(now);
  showOpen(now.open, cancel);
  showKeys(now);
  showGpus(now);
  showStartup(now);
  showEngine(now);
  if (now.stats) charts.add(now.stats);
  showRates(charts);
  showCrashNews(now, lastCrash);
  shownAt = now.at;
  showCurrent();
  byId('main').setAttribute('aria-busy', 'false');
}

/** The gateway is unreachable or our session has ended: retries until one of them is certain. */
async function reconnect() {
  showStale(shownAt);
  const response = await fetch('dashboard/session').catch(() => undefined);
  const state = await response?.json().catch(() => undefined);
  if (state === undefined) return setTimeout(reconnect, RETRY_DELAY);
  if (!state.active) return leave('Your session has ended. Log in again.');
  if (state.version !== document.body.dataset.version) return location.reload();
  connect();
}

/** @param {string} notice for the login page */
function leave(notice) {
  sessionStorage.setItem('notice', notice);
  location.reload();
}

async function logOut() {
  await fetch('dashboard/session', { method: 'DELETE' });
  location.reload();
}

/** @param {string} id */
async function cancel(id) {
  await fetch(`dashboard/requests/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

/**
 * Posts to a path of the dashboard. What the gateway rejects is shown until the next attempt.
 * @param {string} path
 * @param {object} [body]
 */
async function post(path, body) {
  const message = byId('models-message');
  message.hidden = true;
  const response = await fetch(`dashboard/${path}`, {
    method: 'POST',
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => undefined);
  if (response === undefined || response.ok) return;
  const { error } = await response.json().catch(() => ({}));
  setText(message, error?.message ?? `HTTP ${response.status}`);
  message.hidden = false;
}
