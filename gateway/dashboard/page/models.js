/**
 * @import { AliasRow, ModelCostRow, ModelRow } from '../model-rows.ts'
 * @import { Snapshot } from '../snapshot.ts'
 */
import { createButton, createConfirmButton } from './confirm-button.js';
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
import { formatBytes, formatCount, formatEnergy, formatMoney, formatPercent, formatRate } from './format.js';

/** @typedef {(path: string, body?: object) => Promise<void>} Post posts to a path of the dashboard */

/**
 * @param {Snapshot} now
 * @param {Post} post
 */
export function showModels({ models }, post) {
  byId('models-card').hidden = models === null;
  if (models === null) return;
  const { memoryUsed, memoryBudget } = models;
  setText(
    byId('models-memory'),
    memoryBudget === null ? '' : `${formatBytes(memoryUsed)} of ${formatBytes(memoryBudget)} in use`,
  );
  syncChildren(getTableBody('models'), models.models, {
    getKey: ({ id }) => id,
    create() {
      const row = createRow('models');
      row.children[2]?.append(element('progress'), element('span'));
      return row;
    },
    fill: (row, model) => fillModel(row, model, post),
  });
  toggleEmpty('models', models.models.length === 0);
  showCosts(models.costs);
  syncChildren(getTableBody('aliases'), models.aliases, {
    getKey: ({ name }) => name,
    create: () => createRow('aliases'),
    fill: (row, alias) => fillAlias(row, alias, post),
  });
  toggleEmpty('aliases', models.aliases.length === 0);
}

/** @param {readonly ModelCostRow[] | null} costs null if neither money nor energy is known */
function showCosts(costs) {
  byId('model-costs-part').hidden = costs === null;
  syncChildren(getTableBody('model-costs'), costs ?? [], {
    getKey: ({ id }) => id,
    create: () => createRow('model-costs'),
    fill: (row, { id, cost, costPerMillion, joulesPerToken }) =>
      fillRow(row, [id, formatMoney(cost), formatMoney(costPerMillion), formatEnergy(joulesPerToken)]),
  });
  toggleEmpty('model-costs', costs?.length === 0);
}

/**
 * @param {HTMLElement} row
 * @param {ModelRow} model
 * @param {Post} post
 */
function fillModel(row, model, post) {
  const { id, kind, pin, memory, slots, queue, tokensPerSecond, status } = model;
  row.className = status;
  const isLoaded = status === 'loaded' || status === 'sleeping';
  const texts = [
    ...[id, kind, undefined, memory === null ? '–' : formatBytes(memory)],
    slots.total === 0 ? '–' : `${slots.busy} of ${slots.total}`,
    ...[formatCount(queue.waiting), isLoaded ? formatRate(tokensPerSecond) : '–', pin ? 'pinned' : ''],
  ];
  texts.forEach((text, index) => {
    const cell = row.children[index];
    if (cell && text !== undefined) setText(cell, text);
  });
  fillStatus(row.children[2], model);
  const action = status === 'loading' ? '' : !isLoaded ? 'load' : pin ? '' : 'unload';
  setButtons(row.children[8], action, () => createActionButton(id, action, post));
}

/**
 * @param {Element | undefined} cell
 * @param {ModelRow} model
 */
function fillStatus(cell, { id, status, loadProgress, failure }) {
  const [bar, text] = cell?.children ?? [];
  if (!(bar instanceof HTMLProgressElement && text)) return;
  bar.hidden = status !== 'loading';
  if (loadProgress === null) bar.removeAttribute('value');
  else bar.value = loadProgress;
  bar.setAttribute('aria-label', `Load of ${id}`);
  const detail = failure ?? (loadProgress === null ? '' : formatPercent(loadProgress));
  setText(text, detail === '' ? status : `${status}, ${detail}`);
}

/**
 * @param {string} id
 * @param {string} action
 * @param {Post} post
 */
function createActionButton(id, action, post) {
  const act = () => post(`models/${encodeURIComponent(id)}/${action}`);
  if (action === '') return [];
  return [
    action === 'load' ? createButton('Load', `Load ${id}`, act) : createConfirmButton('Unload', id, act),
  ];
}

const suspensionReasons = { failed: 'it has failed', crashed: 'its engine crashed twice' };

/**
 * @param {AliasRow['targets'][number]} target
 * @param {number} targets how many the alias has
 */
function describeTarget({ model, share, suspended }, targets) {
  if (suspended) return `${model} 0 % (gets no requests: ${suspensionReasons[suspended]})`;
  return targets === 1 ? model : `${model} ${formatPercent(share)}`;
}

/**
 * @param {HTMLElement} row
 * @param {AliasRow} alias
 * @param {Post} post
 */
function fillAlias(row, { name, targets, canRollBack }, post) {
  const [nameCell, targetsCell, buttons] = row.children;
  if (!(nameCell && targetsCell)) return;
  setText(nameCell, name);
  syncChildren(targetsCell, targets, {
    getKey: ({ model }) => model,
    create: () => element('span'),
    fill(part, target) {
      setText(part, `${describeTarget(target, targets.length)}${target === targets.at(-1) ? '' : ', '}`);
      part.classList.toggle('suspended', target.suspended !== null);
    },
  });
  const path = `aliases/${encodeURIComponent(name)}`;
  setButtons(buttons, JSON.stringify([targets, canRollBack]), () => [
    ...(targets.length < 2 ? [] : targets).map(({ model }) =>
      createConfirmButton(`Promote ${model}`, `for ${name}`, () => post(`${path}/promote`, { to: model })),
    ),
    ...(canRollBack ? [createConfirmButton('Roll back', name, () => post(`${path}/rollback`))] : []),
  ]);
}

/**
 * Replaces the buttons only if others are needed, so that one that waits for its second press stays.
 * @param {Element | undefined} cell
 * @param {string} state
 * @param {() => HTMLElement[]} create
 */
function setButtons(cell, state, create) {
  if (!(cell instanceof HTMLElement) || cell.dataset.state === state) return;
  cell.dataset.state = state;
  cell.replaceChildren(...create());
}
