/**
 * @import { BatchRow, BatchRows } from '../batch-rows.ts'
 * @import { Snapshot } from '../snapshot.ts'
 */
import { byId, createRow, element, getTableBody, setText, syncChildren, toggleEmpty } from './elements.js';
import { formatBytes, formatCount } from './format.js';

/** @param {Snapshot} now */
export function showBatches({ batches: shown }) {
  byId('batches-card').hidden = shown === null;
  if (shown === null) return;
  const { batches, unfinished, bytes, maxBytes, runnerUp } = shown;
  const size = `Store: ${formatBytes(bytes)} of ${formatBytes(maxBytes)}`;
  const more =
    unfinished > batches.length ? `; the oldest ${batches.length} of ${formatCount(unfinished)}` : '';
  setText(byId('batches-store'), size + more + describeResponses(shown));
  const message = byId('batches-message');
  message.hidden = runnerUp !== false;
  setText(
    message,
    'The process that runs batches and background responses is down: they wait. The log says why.',
  );
  syncChildren(getTableBody('batches'), batches, {
    getKey: ({ id }) => id,
    create() {
      const row = createRow('batches');
      row.children[2]?.append(element('progress'), element('span'));
      return row;
    },
    fill: fillBatch,
  });
  toggleEmpty('batches', batches.length === 0);
}

/**
 * Nothing while no responses and conversations are stored.
 * @param {BatchRows} shown
 */
function describeResponses({ responses, conversations, background: { queued, inProgress } }) {
  if (responses + conversations === 0) return '';
  const stored = `; responses: ${formatCount(responses)}, conversations: ${formatCount(conversations)}`;
  if (queued + inProgress === 0) return stored;
  return `${stored}; in the background: ${formatCount(queued)} queued, ${formatCount(inProgress)} in progress`;
}

/**
 * @param {HTMLElement} row
 * @param {BatchRow} batch
 */
function fillBatch(row, { id, owner, status, model, total, ended, failed, outputTokens, reason }) {
  const state = status.replaceAll('_', ' ');
  const texts = [
    ...[id, reason === null ? state : `${state}, paused: ${reason}`, undefined],
    ...[formatCount(failed), formatCount(outputTokens), owner, model ?? '–'],
  ];
  texts.forEach((text, index) => {
    const cell = row.children[index];
    if (cell && text !== undefined) setText(cell, text);
  });
  row.children[0]?.setAttribute('title', id);
  const [bar, text] = row.children[2]?.children ?? [];
  if (!(bar instanceof HTMLProgressElement && text)) return;
  if (status === 'validating') bar.removeAttribute('value');
  else {
    bar.max = Math.max(total, 1);
    bar.value = ended;
  }
  bar.setAttribute('aria-label', `Progress of ${id}`);
  setText(text, `${formatCount(ended)} of ${formatCount(total)}`);
}
