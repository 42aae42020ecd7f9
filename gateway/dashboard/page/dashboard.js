/**
 * @import { LastCrash } from '../last-crash.ts'
 * @import { StatsSample } from '../stats-sampler.ts'
 * @import { RecentRequest } from '../recent-requests.ts'
 * @import { Snapshot } from '../snapshot.ts'
 */
import { Charts } from './charts.js';
import { byId, say } from './elements.js';
import { showBoot, showCrash, showEngine, showGpus } from './engine.js';
import { showFigures, showSlots, showStanding } from './figures.js';
import { showKeys, showOpen, showRecent } from './tables.js';

/** How long to wait before looking again for a gateway that is away, ms. */
const LOOK_AGAIN = 1500;
/** As the gateway tells something every second, silence for so long means that it is away. */
const SILENCE = 10_000;

const charts = new Charts();
const connection = byId('connection');
/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;

watch();
document.getElementById('log-out')?.addEventListener('click', logOut);

function watch() {
  const events = new EventSource('dashboard/events');
  const lose = () => {
    events.close();
    clearTimeout(silence);
    comeBack();
  };
  /**
   * @template T
   * @param {string} name
   * @param {(part: T) => void} show
   */
  const on = (name, show) =>
    events.addEventListener(name, ({ data }) => {
      clearTimeout(silence);
      silence = setTimeout(lose, SILENCE);
      show(JSON.parse(data));
    });
  on('history', (/** @type {StatsSample[]} */ points) => charts.begin(points));
  on('now', showNow);
  on('recent', (/** @type {RecentRequest[]} */ recent) => showRecent(recent));
  on('crash', (/** @type {LastCrash | null} */ crash) => showCrash(crash));
  on('ended', () => leave('Your session has ended. Show the key again.'));
  events.addEventListener('error', lose);
}

/** @param {Snapshot} now */
function showNow(now) {
  showStanding(now);
  showFigures(now);
  showSlots(now);
  showOpen(now.open, cancel);
  showKeys(now);
  showGpus(now);
  showBoot(now);
  showEngine(now);
  if (now.pulse) charts.add(now.pulse);
  connection.hidden = true;
  byId('main').setAttribute('aria-busy', 'false');
}

/** The gateway is away, or has ended our session: asks until it says which. */
async function comeBack() {
  say(connection, 'The gateway does not answer. Looking for it again…');
  connection.hidden = false;
  const answer = await fetch('dashboard/session').catch(() => undefined);
  const state = await answer?.json().catch(() => undefined);
  if (state === undefined) return setTimeout(comeBack, LOOK_AGAIN);
  if (!state.active)
    return leave('The gateway was started again, or your session has ended. Show the key again.');
  if (state.version !== document.body.dataset.version) return location.reload();
  watch();
}

/** @param {string} notice what the page to log in is to say */
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
