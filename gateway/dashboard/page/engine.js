/**
 * @import { Snapshot } from '../snapshot.ts'
 * @import { LastCrash } from '../dashboard.ts'
 */
import { byId, element, setText, syncChildren, toggleEmpty } from './elements.js';
import { formatCount, formatDateTime, formatDuration, formatGibibytes, formatPercent } from './format.js';

/** The phases of a startup, by their names in `/status`, and their labels. */
const phases = [
  ['process up', 'process started'],
  ['bound', 'port open'],
  ['loaded', 'model loaded'],
  ['first token', 'first token'],
];

/** @param {Snapshot} now */
export function showStartup({ supervisor }) {
  let before = 0;
  const steps = phases.flatMap(([phase = '', label = '']) => {
    const at = supervisor?.boot[phase];
    if (typeof at !== 'number') return [];
    const took = Math.max(at - before, 0);
    before = at;
    return [{ label, at, took }];
  });
  syncChildren(byId('boot'), steps, {
    getKey: ({ label }) => label,
    create: () => element('li', '', element('i'), element('span', 'phase'), element('span', 'took')),
    fill(item, { label, at, took }) {
      const [, name, time] = item.children;
      item.style.flexGrow = String(took);
      if (name) setText(name, label);
      if (time) setText(time, `${formatDuration(took)} · at ${formatDuration(at)}`);
    },
  });
  toggleEmpty('boot', supervisor === null);
}

/** @param {Snapshot} now */
export function showEngine({ supervisor, model, at, startedAt, version, drafts }) {
  const restarts = Object.entries(supervisor?.restarts ?? {}).map(
    ([child, restartCount]) => `${child} ${restartCount}`,
  );
  /** @type {[string, string][]} */
  const details = [
    ['Engine', model.engine ?? '–'],
    ['Context per request', model.context === null ? '–' : `${formatCount(model.context)} tokens`],
    ['Restarts', supervisor === null ? '–' : restarts.join(', ')],
    ...listDrafts(drafts),
    ['Gateway', `${version}, up ${formatDuration(at - startedAt)}`],
  ];
  syncChildren(byId('engine'), details, {
    getKey: ([name]) => name,
    create: ([name]) => element('div', '', element('dt', '', name), element('dd')),
    fill(item, [, text]) {
      if (item.lastElementChild) setText(item.lastElementChild, text);
    },
  });
}

/**
 * @param {Snapshot['drafts']} drafts
 * @returns {[string, string][]}
 */
function listDrafts(drafts) {
  if (drafts === null || drafts.drafted === 0) return [];
  const { drafted, accepted } = drafts;
  return [['Draft tokens accepted', `${formatPercent(accepted / drafted)} of ${formatCount(drafted)}`]];
}

/** @param {LastCrash | null} crash */
export function showCrash(crash) {
  toggleEmpty('crash', crash === null);
  if (crash === null) return;
  const { who, at, code, signal, ranForMs, cure, lastLines, onRecord } = crash;
  const reason = signal ?? `exit code ${code}`;
  const more = onRecord > 1 ? ` ${onRecord} crashes are on record.` : '';
  const time = formatDateTime(Date.parse(at));
  setText(
    byId('crash-summary'),
    `${who}: ${crash.class.replaceAll('-', ' ')} (${reason}), ${time}, after ${formatDuration(ranForMs)}.${more}`,
  );
  setText(byId('crash-hint'), cure);
  setText(byId('crash-lines'), lastLines.join('\n'));
}

/** @param {Snapshot} now */
export function showGpus({ gpus, gpuTrouble }) {
  syncChildren(byId('gpus'), gpus, {
    getKey: ({ index }) => String(index),
    create: () => element('article', 'gpu', element('h3'), element('dl', 'meters')),
    fill(card, gpu) {
      const [title, list] = card.children;
      if (title) setText(title, `${gpu.index} · ${gpu.name ?? 'GPU'}`);
      if (list) showMeters(list, gpu);
    },
  });
  const empty = byId('gpus-empty');
  setText(empty, gpuTrouble ?? '');
  toggleEmpty('gpus', gpus.length === 0);
  empty.hidden = gpuTrouble === null;
  byId('gpu-card').hidden = gpus.length === 0 && gpuTrouble === null;
}

/**
 * @typedef {{ name: string, text: string, part?: number | undefined }} Meter
 * @param {Element} list
 * @param {Snapshot['gpus'][number]} gpu
 */
function showMeters(list, gpu) {
  syncChildren(list, listMeters(gpu), {
    getKey: ({ name }) => name,
    create: ({ name }) =>
      element('div', '', element('dt', '', name), element('dd', '', element('i'), element('span'))),
    fill(item, { text, part }) {
      const [bar, label] = item.lastElementChild?.children ?? [];
      if (label) setText(label, text);
      if (!(bar instanceof HTMLElement)) return;
      bar.hidden = part === undefined;
      bar.style.setProperty('--part', String(Math.min(part ?? 0, 1)));
    },
  });
}

/**
 * Values that the GPU does not report are omitted.
 * @param {Snapshot['gpus'][number]} gpu
 * @returns {Meter[]}
 */
function listMeters({
  utilization,
  memoryUsed,
  memoryTotal,
  temperature,
  power,
  powerLimit,
  smClock,
  slowdowns,
}) {
  /** @type {Meter[]} */
  const meters = [];
  if (utilization !== undefined)
    meters.push({ name: 'Busy', text: formatPercent(utilization), part: utilization });
  if (memoryUsed !== undefined && memoryTotal !== undefined) {
    const text = `${formatGibibytes(memoryUsed)} of ${formatGibibytes(memoryTotal)} GiB`;
    meters.push({ name: 'Memory', text, part: memoryUsed / memoryTotal });
  }
  if (power !== undefined) {
    const limit = powerLimit === undefined ? '' : ` of ${Math.round(powerLimit)}`;
    meters.push({
      name: 'Power',
      text: `${Math.round(power)}${limit} W`,
      part: powerLimit && power / powerLimit,
    });
  }
  if (temperature !== undefined) meters.push({ name: 'Temperature', text: `${temperature} °C` });
  if (smClock !== undefined) meters.push({ name: 'Clock', text: `${Math.round(smClock / 1e6)} MHz` });
  const limits = slowdowns?.filter((reason) => reason !== 'idle') ?? [];
  if (limits.length > 0)
    meters.push({ name: 'Clocks limited by', text: limits.join(', ').replaceAll('_', ' ') });
  return meters;
}
