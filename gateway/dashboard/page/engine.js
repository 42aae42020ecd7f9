/**
 * @import { Snapshot } from '../snapshot.ts'
 * @import { LastCrash } from '../last-crash.ts'
 */
import { byId, element, keepInStep, say, showUnlessEmpty } from './elements.js';
import { count, dayAndTime, duration, gibibytes, percent } from './words.js';

const phases = ['process up', 'bound', 'loaded', 'first token'];

/** @param {Snapshot} now */
export function showBoot({ house }) {
  let before = 0;
  const steps = phases.flatMap((phase) => {
    const at = house?.boot[phase];
    if (typeof at !== 'number') return [];
    const took = Math.max(at - before, 0);
    before = at;
    return [{ phase, at, took }];
  });
  keepInStep(byId('boot'), steps, {
    keyOf: ({ phase }) => phase,
    make: () => element('li', '', element('i'), element('span', 'phase'), element('span', 'took')),
    fill(item, { phase, at, took }) {
      const [, name, time] = item.children;
      item.style.flexGrow = String(took);
      if (name) say(name, phase);
      if (time) say(time, `${duration(took)} · at ${duration(at)}`);
    },
  });
  showUnlessEmpty('boot', house === null);
}

/** @param {Snapshot} now */
export function showEngine({ house, model, at, startedAt, version }) {
  const restarts = Object.entries(house?.restarts ?? {}).map(([child, times]) => `${child} ${times}`);
  /** @type {[string, string][]} */
  const facts = [
    ['Engine', model.engine ?? '–'],
    ['Context of a request', model.context === null ? '–' : `${count(model.context)} tokens`],
    ['Restarts', house === null ? '–' : restarts.join(', ')],
    ['Gateway', `${version}, up ${duration(at - startedAt)}`],
  ];
  keepInStep(byId('engine'), facts, {
    keyOf: ([name]) => name,
    make: ([name]) => element('div', '', element('dt', '', name), element('dd')),
    fill(item, [, text]) {
      if (item.lastElementChild) say(item.lastElementChild, text);
    },
  });
}

/** @param {LastCrash | null} crash */
export function showCrash(crash) {
  showUnlessEmpty('crash', crash === null);
  if (crash === null) return;
  const { who, at, code, signal, ranForMs, cure, lastLines, onRecord } = crash;
  const ending = signal ?? `exit code ${code}`;
  const more = onRecord > 1 ? ` ${onRecord} are on record.` : '';
  const when = dayAndTime(Date.parse(at));
  say(
    byId('crash-what'),
    `${who}: ${crash.class.replaceAll('-', ' ')} (${ending}), ${when}, after ${duration(ranForMs)}.${more}`,
  );
  say(byId('crash-cure'), cure);
  say(byId('crash-lines'), lastLines.join('\n'));
}

/** @param {Snapshot} now */
export function showGpus({ gpus, gpuTrouble }) {
  keepInStep(byId('gpus'), gpus, {
    keyOf: ({ index }) => String(index),
    make: () => element('article', 'gpu', element('h3'), element('dl', 'meters')),
    fill(card, gpu) {
      const [title, list] = card.children;
      if (title) say(title, `${gpu.index} · ${gpu.name ?? 'GPU'}`);
      if (list) showMeters(list, gpu);
    },
  });
  const empty = byId('gpus-empty');
  if (gpuTrouble !== null) say(empty, gpuTrouble);
  showUnlessEmpty('gpus', gpus.length === 0);
  empty.hidden = gpus.length > 0 && gpuTrouble === null;
}

/**
 * @typedef {{ name: string, words: string, part?: number | undefined }} Meter
 * @param {Element} list
 * @param {Snapshot['gpus'][number]} gpu
 */
function showMeters(list, gpu) {
  keepInStep(list, metersOf(gpu), {
    keyOf: ({ name }) => name,
    make: ({ name }) =>
      element('div', '', element('dt', '', name), element('dd', '', element('i'), element('span'))),
    fill(item, { words, part }) {
      const [bar, text] = item.lastElementChild?.children ?? [];
      if (text) say(text, words);
      if (!(bar instanceof HTMLElement)) return;
      bar.hidden = part === undefined;
      bar.style.setProperty('--part', String(Math.min(part ?? 0, 1)));
    },
  });
}

/**
 * What the card does not tell is left out.
 * @param {Snapshot['gpus'][number]} gpu
 * @returns {Meter[]}
 */
function metersOf({
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
    meters.push({ name: 'Busy', words: percent(utilization), part: utilization });
  if (memoryUsed !== undefined && memoryTotal !== undefined) {
    const words = `${gibibytes(memoryUsed)} of ${gibibytes(memoryTotal)} GiB`;
    meters.push({ name: 'Memory', words, part: memoryUsed / memoryTotal });
  }
  if (power !== undefined) {
    const limit = powerLimit === undefined ? '' : ` of ${Math.round(powerLimit)}`;
    meters.push({
      name: 'Power',
      words: `${Math.round(power)}${limit} W`,
      part: powerLimit && power / powerLimit,
    });
  }
  const state = [
    temperature === undefined ? '' : `${temperature} °C`,
    smClock === undefined ? '' : `${Math.round(smClock / 1e6)} MHz`,
  ].filter(Boolean);
  if (state.length > 0) meters.push({ name: 'Heat and clock', words: state.join(' · ') });
  const held = slowdowns?.filter((reason) => reason !== 'idle') ?? [];
  if (held.length > 0) meters.push({ name: 'Held down by', words: held.join(', ').replaceAll('_', ' ') });
  return meters;
}
