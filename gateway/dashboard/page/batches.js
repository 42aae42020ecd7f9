/**
 * @import { BatchRow } from '../batch-rows.ts'
 * @import { Snapshot } from '../snapshot.ts'
 */
import { byId, createRow, element, getTableBody, setText, syncChildren, toggleEmpty } from './elements.js';
import { formatBytes, formatCount } from './format.js';

/** @param {Snapshot} now */
export function showBatches({ batches: shown }) {
  byId('batches-card').hidden = shown === null;
  if (shown === null) return;
  const { batches, unfinished, bytes, maxBytes, runnerUp } = shown;
  const more =
    unfinished > batches.length ? `; the oldest ${batches.length} of ${formatCount(unfinished)}` : '';
  setText(byId('batches-store'), `Store: ${formatBytes(bytes)} of ${formatBytes(maxBytes)}${more}`);
  const message = byId('batches-message');
  message.hidden = runnerUp !== false;
  setText(message, 'The process that runs batches is down: they wait. The log says why.');
  syncChildren(getTableBody('batches'), batches, {
    getKey: ({ id }) => id,
    create() {
      const row = createRow(7);
      row.children[4]?.append(element('progress'), element('span'));
      return row;
    },
    fill: fillBatch,
  });
  toggleEmpty('batches', batches.length === 0);
}

/**
 * @param {HTMLElement} row
 * @param {BatchRow} batch
 */
function fillBatch(row, { id, owner, status, model, total, ended, failed, outputTokens, reason }) {
  const state = status.replaceAll('_', ' ');
  const texts = [
    ...[id, owner, model ?? '–', reason === null ? state : `${state}, paused: ${reason}`],
    ...[undefined, formatCount(failed), formatCount(outputTokens)],
  ];
  texts.forEach((text, index) => {
    const cell = row.children[index];
    if (cell && text !== undefined) setText(cell, text);
  });
  const [bar, text] = row.children[4]?.children ?? [];
  if (!(bar instanceof HTMLProgressElement && text)) return;
  if (status === 'validating') bar.removeAttribute('value');
  else {
    bar.max = Math.max(total, 1);
    bar.value = ended;
  }
  bar.setAttribute('aria-label', `Progress of ${id}`);
  setText(text, `${formatCount(ended)} of ${formatCount(total)}`);
}
